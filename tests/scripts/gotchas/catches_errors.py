"""An error of an op is caught where it is raised eagerly; in a graph it is raised when that runs.

diff: different
exception-control-flow: tf.debugging.check_numerics(
"""

import tensorflow as tf

w = tf.Variable(2.0, name="w")


def train_step(x):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean((w * x - 1.0) ** 2)
    try:
        tf.debugging.check_numerics(loss, "the loss")
    except tf.errors.InvalidArgumentError:
        return tf.constant(0.0)
    w.assign_sub(0.1 * tape.gradient(loss, w))
    return loss


for number in (float("nan"), 1.0, 2.0):
    print(float(train_step(tf.constant([1.0, number]))))
