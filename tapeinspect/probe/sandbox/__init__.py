"""Running the step again without a trace of it."""
