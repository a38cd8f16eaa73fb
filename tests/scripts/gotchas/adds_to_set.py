"""Shapes that were met are put into a set.

diff: different
python-side-effect: met.add(
"""

import tensorflow as tf

w = tf.Variable(2.0, name="w")
met = set()


def train_step(x):
    met.add((len(met), x.shape[0]))
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean((w * x - 1.0) ** 2)
    w.assign_sub(0.1 * tape.gradient(loss, w))
    return loss


for _ in range(3):
    train_step(tf.constant([1.0, 2.0]))
print(sorted(met))
