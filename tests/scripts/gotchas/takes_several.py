"""The step takes from iterators of Python's: several items, one that is given a new value at once, and one in a list.

diff: different
python-iterator: x, y = next(self.batches)
python-iterator: error = next
python-iterator: next(sources[0])
"""

import numpy as np
import tensorflow as tf

w = tf.Variable([[2.0], [1.0]], name="w")


def generate():
    numbers = np.random.default_rng(1)
    while True:
        yield numbers.normal(size=(3, 2)).astype("float32"), np.ones((3, 1), "float32")


noise = (tf.fill((3, 1), 0.1 * i) for i in range(100))
sources = [map(float, range(1, 100)), "text"]


class Trainer:
    def __init__(self):
        self.batches = generate()

    @tf.function
    def train_step(self):
        for _ in range(2):
            x, y = next(self.batches)
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean((x @ w - y) ** 2)
            w.assign_sub(0.1 * tape.gradient(loss, w))
        error = next(noise)
        error = error * 0.5
        with tf.GradientTape() as tape:
            rate = next(sources[0])
            more = next(noise)
            loss = tf.reduce_mean((x @ w - y + error * more) ** 2)
        w.assign_sub(0.1 / rate * tape.gradient(loss, w))
        return loss


trainer = Trainer()
for _ in range(3):
    print(float(trainer.train_step()), next(noise).numpy()[0, 0], next(trainer.batches)[0][0, 0])
