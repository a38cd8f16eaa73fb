"""A helper gives another number when it is traced: the line is named whose values differ first.

diff: different, op by op
different-values: y = y * factor
"""

import tensorflow as tf

w = tf.Variable([[0.5], [-0.25]], name="w")


def strength():
    return 1.0 if tf.executing_eagerly() else 1.5


@tf.function
def train_step(x):
    factor = strength()
    y = x + 1.0
    y = y * factor
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.square(y @ w))
    w.assign_sub(0.1 * tape.gradient(loss, w))
    return loss


for batch in range(3):
    print(float(train_step(tf.ones((4, 2)) * (batch + 1.0))))
