"""What the tabs show, one pane a file."""
