"""A dict is filled batch by batch.

diff: different
python-side-effect: losses[len(losses)] =
"""

import tensorflow as tf

w = tf.Variable(2.0, name="w")
losses = {}


def train_step(x):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean((w * x - 1.0) ** 2)
    losses[len(losses)] = "done"
    w.assign_sub(0.1 * tape.gradient(loss, w))
    return loss


for _ in range(3):
    train_step(tf.constant([1.0, 2.0]))
print(losses)
