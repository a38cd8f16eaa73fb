"""Small training runs, each wrong in one way, and for each a near miss that is right."""
