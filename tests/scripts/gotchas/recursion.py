"""A function calls itself until a tensor is small: it never ends while tracing.

diff: fails_to_trace
recursion:
"""

import tensorflow as tf

w = tf.Variable(2.0, name="w")


def halve(x):
    if tf.reduce_max(x) < 1.0:
        return x
    return halve(x * 0.5)


def train_step(x):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean((w * halve(x) - 1.0) ** 2)
    w.assign_sub(0.1 * tape.gradient(loss, w))
    return loss


for _ in range(3):
    print(float(train_step(tf.constant([1.0, 2.0]))))
