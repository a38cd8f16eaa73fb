"""A counter of Python's decides what a batch does: the graph has the way that the first one took.

diff: different
frozen-value: self.batch % 2
python-side-effect: self.batch += 1
"""

import tensorflow as tf


class Trainer:
    def __init__(self):
        self.w = tf.Variable(2.0, name="w")
        self.batch = 0

    @tf.function
    def train_step(self, x):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((self.w * x - 1.0) ** 2)
        gradient = tape.gradient(loss, self.w)
        if self.batch % 2:
            self.w.assign_sub(0.1 * gradient)
        self.batch += 1
        return loss


trainer = Trainer()
for _ in range(4):
    print(float(trainer.train_step(tf.constant([1.0, 2.0]))))
