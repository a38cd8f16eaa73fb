"""A function calls itself until a number of Python's is small.

diff: same
"""

import tensorflow as tf

w = tf.Variable(2.0, name="w")


def power(x, n):
    if n == 0:
        return tf.ones_like(x)
    return x * power(x, n - 1)


@tf.function
def train_step(x):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean((w * power(x, 3) - 1.0) ** 2)
    w.assign_sub(0.01 * tape.gradient(loss, w))
    return loss


for _ in range(3):
    print(float(train_step(tf.constant([1.0, 2.0]))))
