"""One file per command: arguments and exit statuses, no logic."""
