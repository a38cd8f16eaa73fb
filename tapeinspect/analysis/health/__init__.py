"""The health of training: rules over gradients, updates, activations, losses, data and the graph."""
