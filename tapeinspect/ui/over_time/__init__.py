"""Figures over the batches: curves, heat maps, distributions."""
