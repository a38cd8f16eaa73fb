"""Trains three batches with all that a further trace could disturb: random numbers, Adam, a list, a counter, prints."""

import random

import numpy as np
import tensorflow as tf

tf.random.set_seed(7)
np.random.seed(7)
random.seed(7)
losses = []


class Trainer:
    """A step that is a method, and that counts."""

    def __init__(self):
        self.model = tf.keras.Sequential([tf.keras.layers.Dense(3), tf.keras.layers.Dropout(0.5)])
        self.optimizer = tf.keras.optimizers.Adam()
        self.seen = 0

    def step(self, x, y):
        """One batch."""
        self.seen += 1
        print("step", self.seen)
        with tf.GradientTape() as tape:
            noise = tf.random.normal(x.shape)
            loss = tf.reduce_mean((self.model(x + noise, training=True) - y) ** 2)
            if loss > 1e6:
                loss = loss * 0.5
        gradients = tape.gradient(loss, self.model.trainable_variables)
        self.optimizer.apply_gradients(zip(gradients, self.model.trainable_variables, strict=True))
        losses.append(loss)
        return loss


def main():
    """Train."""
    trainer = Trainer()
    for _ in range(3):
        x = tf.constant(np.random.rand(4, 3).astype("float32"))
        print(float(trainer.step(x, tf.ones((4, 3)))).hex(), random.random(), np.random.rand())
    print(
        len(losses),
        trainer.seen,
        [float(tf.reduce_sum(v)).hex() for v in trainer.model.variables if v.dtype == "float32"],
    )
    print(int(trainer.optimizer.iterations), float(tf.random.normal(())).hex())


if __name__ == "__main__":
    main()
