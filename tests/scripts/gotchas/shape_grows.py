"""A tensor grows in each turn of a loop.

diff: fails_to_trace
shape-changes: for _ in tf.range(3):
"""

import tensorflow as tf

w = tf.Variable(2.0, name="w")


def train_step(x):
    powers = x[:1]
    for _ in tf.range(3):
        powers = tf.concat([powers, powers[-1:] * 2.0], 0)
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean((w * powers - 1.0) ** 2)
    w.assign_sub(0.01 * tape.gradient(loss, w))
    return loss


for _ in range(3):
    print(float(train_step(tf.constant([1.0, 2.0]))))
