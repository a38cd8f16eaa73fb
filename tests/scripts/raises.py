"""An exception in the second step: shapes that do not match."""

import tensorflow as tf

weight = tf.Variable([[1.0], [2.0]], name="weight")


def train_step(x):
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(x @ weight)
    weight.assign_sub(0.1 * tape.gradient(loss, weight))
    return loss


print(float(train_step(tf.ones((3, 2)))).hex())
print(float(train_step(tf.ones((3, 4)))).hex())
