"""Traces of tf.functions: each one, why it was made, and what runs as a graph."""
