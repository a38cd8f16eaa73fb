"""A trainer keeps count of its calls in attributes of itself and of its class.

diff: different
python-side-effect: self.calls += 1
python-side-effect: self.history.append(self.calls)
python-side-effect: Trainer.total += 1
"""

import tensorflow as tf


class Trainer(tf.Module):
    total = 0

    def __init__(self):
        self.calls = 0
        self.history = []
        self.w = tf.Variable([[0.5], [-0.25]])

    @tf.function
    def train_step(self, x):
        self.calls += 1
        self.history.append(self.calls)
        Trainer.total += 1
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(x @ self.w))
        self.w.assign_sub(0.1 * tape.gradient(loss, self.w))
        return loss


trainer = Trainer()
for batch in range(3):
    trainer.train_step(tf.ones((4, 2)) * (batch + 1.0))
print(trainer.calls, trainer.history, Trainer.total)
