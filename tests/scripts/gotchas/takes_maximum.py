"""Python's max compares two tensors.

diff: fails_to_trace
builtin-on-tensor: max(norm, 1.0)
"""

import tensorflow as tf

w = tf.Variable(2.0, name="w")


def train_step(x):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean((w * x - 1.0) ** 2)
    gradient = tape.gradient(loss, w)
    norm = tf.abs(gradient)
    w.assign_sub(0.1 * gradient / max(norm, 1.0))
    return loss


for _ in range(3):
    print(float(train_step(tf.constant([1.0, 2.0]))))
