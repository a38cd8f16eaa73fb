"""A variable decides what a batch does, so that the graph has both ways.

diff: same
"""

import tensorflow as tf


class Trainer:
    def __init__(self):
        self.w = tf.Variable(2.0, name="w")
        self.batch = tf.Variable(0, name="batch")

    @tf.function
    def train_step(self, x):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((self.w * x - 1.0) ** 2)
        gradient = tape.gradient(loss, self.w)
        if self.batch % 2 == 1:
            self.w.assign_sub(0.1 * gradient)
        self.batch.assign_add(1)
        return loss


trainer = Trainer()
for _ in range(4):
    print(float(trainer.train_step(tf.constant([1.0, 2.0]))))
