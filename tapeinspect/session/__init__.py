"""The tool's side of a live target: start it, ask it, end it."""
