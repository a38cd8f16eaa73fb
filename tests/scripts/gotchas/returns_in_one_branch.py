"""The step returns early in one branch and goes on behind the other without returning anything.

diff: fails_to_trace
return-in-one-branch: if tf.reduce_sum(x) < 0.0:
"""

import tensorflow as tf

w = tf.Variable(2.0, name="w")


def train_step(x):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean((w * x - 1.0) ** 2)
    w.assign_sub(0.1 * tape.gradient(loss, w))
    if tf.reduce_sum(x) < 0.0:
        return loss


for _ in range(3):
    print(train_step(tf.constant([1.0, 2.0])))
