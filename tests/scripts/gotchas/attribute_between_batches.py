"""The loop changes an attribute that the step reads as a number of Python's.

diff: different
frozen-value: self.rate *
"""

import tensorflow as tf


class Trainer:
    def __init__(self):
        self.w = tf.Variable(2.0, name="w")
        self.rate = 0.1

    @tf.function
    def train_step(self, x):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((self.w * x - 1.0) ** 2)
        self.w.assign_sub(self.rate * tape.gradient(loss, self.w))
        return loss


trainer = Trainer()
for epoch in range(3):
    trainer.rate = 0.1 / (epoch + 1)
    print(float(trainer.train_step(tf.constant([1.0, 2.0]))))
