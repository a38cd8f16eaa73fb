"""A name is None in one branch and a tensor in the other.

diff: fails_to_trace
none-in-branch: if tf.reduce_sum(x) > 100.0:
"""

import tensorflow as tf

w = tf.Variable(2.0, name="w")


def train_step(x):
    penalty = None
    if tf.reduce_sum(x) > 100.0:
        penalty = tf.square(w)
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean((w * x - 1.0) ** 2)
        if penalty is not None:
            loss += penalty
    w.assign_sub(0.1 * tape.gradient(loss, w))
    return loss


for _ in range(3):
    print(float(train_step(tf.constant([1.0, 2.0]))))
