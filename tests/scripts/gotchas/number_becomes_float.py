"""A variable of the loop begins as an int and becomes a float.

diff: fails_to_trace
dtype-mismatch: penalty = penalty + 0.5
"""

import tensorflow as tf

w = tf.Variable(2.0, name="w")


def train_step(x):
    with tf.GradientTape() as tape:
        penalty = 0
        for _ in tf.range(3):
            penalty = penalty + 0.5
        loss = tf.reduce_mean((w * x - 1.0) ** 2) + penalty
    w.assign_sub(0.1 * tape.gradient(loss, w))
    return loss


for _ in range(3):
    print(float(train_step(tf.constant([1.0, 2.0]))))
