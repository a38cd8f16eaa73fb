"""The step does something else when it is traced.

diff: different, op by op
different-values: loss + tf.reduce_sum(x) * 2.0
"""

import tensorflow as tf

w = tf.Variable(2.0, name="w")


def train_step(x):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean((w * x - 1.0) ** 2)
    w.assign_sub(0.1 * tape.gradient(loss, w))
    if tf.executing_eagerly():
        return loss + tf.reduce_sum(x)
    return loss + tf.reduce_sum(x) * 2.0


for _ in range(3):
    print(float(train_step(tf.constant([1.0, 2.0]))))
