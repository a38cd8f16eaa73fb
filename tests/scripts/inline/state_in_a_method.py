"""A loop in a method: a state that goes from batch to batch, an attribute that counts, a `continue`."""
# EXPECT different on batch 2

import tensorflow as tf


class Trainer:
    """Trains a cell on parts of a sequence."""

    def __init__(self):
        self.cell = tf.Variable(tf.eye(2) * 0.5)
        self.batches = 0

    def fit(self, parts):
        """Go through it once."""
        state = tf.zeros((1, 2))
        for part in parts:
            if part is None:
                continue
            with tf.GradientTape() as tape:
                state = tf.tanh(part + tf.stop_gradient(state) @ self.cell)
                loss = tf.reduce_sum(state**2)
            self.cell.assign_sub(0.1 * tape.gradient(loss, self.cell))
            self.batches += 1  # RULE python-side-effect
        return state


trainer = Trainer()
parts = [tf.ones((1, 2)), None, tf.ones((1, 2)) * 0.5, tf.ones((1, 2)) * 2.0]
print([value.hex() for value in trainer.fit(parts).numpy()[0].tolist()], trainer.batches)
