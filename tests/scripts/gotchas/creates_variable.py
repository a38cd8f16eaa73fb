"""A variable is made in each batch.

diff: fails_to_trace
variable-creation: tf.Variable(1.0)
"""

import tensorflow as tf

w = tf.Variable(2.0, name="w")


def train_step(x):
    scale = tf.Variable(1.0)
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean((w * x * scale - 1.0) ** 2)
    w.assign_sub(0.1 * tape.gradient(loss, w))
    return loss


for _ in range(3):
    print(float(train_step(tf.constant([1.0, 2.0]))))
