"""A variable that is made behind a check, in the first batch.

diff: same, op by op
"""

import tensorflow as tf


class Trainer:
    def __init__(self):
        self.w = None

    @tf.function
    def train_step(self, x):
        if self.w is None:
            self.w = tf.Variable(tf.zeros((x.shape[-1], 1)), name="w")
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(x @ self.w - 1.0))
        self.w.assign_sub(0.1 * tape.gradient(loss, self.w))
        return loss


trainer = Trainer()
for batch in range(3):
    print(float(trainer.train_step(tf.ones((4, 2)) * (batch + 1.0))))
