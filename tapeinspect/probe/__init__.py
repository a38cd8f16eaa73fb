"""Runs inside the target: the only room that imports TensorFlow."""
