"""Pure functions from a trace to answers."""
