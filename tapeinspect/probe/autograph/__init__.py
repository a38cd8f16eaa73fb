"""What AutoGraph makes of the user's code, found by really tracing it."""
