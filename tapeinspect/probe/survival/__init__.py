"""What of a step does not survive tracing."""
