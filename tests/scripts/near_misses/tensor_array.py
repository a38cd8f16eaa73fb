"""A TensorArray gathers what a loop of the graph computes.

diff: same
"""

import tensorflow as tf

w = tf.Variable(2.0, name="w")


@tf.function
def train_step(x):
    rows = tf.TensorArray(tf.float32, size=2)
    for i in tf.range(2):
        rows = rows.write(i, x[i] * 2.0)
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean((w * rows.stack() - 1.0) ** 2)
    w.assign_sub(0.01 * tape.gradient(loss, w))
    return loss


for _ in range(3):
    print(float(train_step(tf.constant([1.0, 2.0]))))
