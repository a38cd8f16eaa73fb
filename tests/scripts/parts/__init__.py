"""What the scripts import: a step function in a module of its own, and a class that is pickled."""
