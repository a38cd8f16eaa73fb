"""A tensor is taken apart as if it were a tuple.

diff: fails_to_trace
iteration-over-tensor: first, second = x
"""

import tensorflow as tf

w = tf.Variable(2.0, name="w")


def train_step(x):
    first, second = x
    with tf.GradientTape() as tape:
        loss = (w * first - second) ** 2
    w.assign_sub(0.1 * tape.gradient(loss, w))
    return loss


for _ in range(3):
    print(float(train_step(tf.constant([1.0, 2.0]))))
