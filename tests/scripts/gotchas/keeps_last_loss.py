"""The trainer remembers its last loss, which is a tensor of the graph.

diff: different
leaked-tensor: self.last = loss
"""

import tensorflow as tf


class Trainer:
    def __init__(self):
        self.w = tf.Variable(2.0, name="w")
        self.last = None

    @tf.function
    def train_step(self, x):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((self.w * x - 1.0) ** 2)
        self.w.assign_sub(0.1 * tape.gradient(loss, self.w))
        self.last = loss


trainer = Trainer()
for _ in range(3):
    trainer.train_step(tf.constant([1.0, 2.0]))
print(float(trainer.last))
