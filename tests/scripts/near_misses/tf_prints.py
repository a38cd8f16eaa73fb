"""tf.print prints in each batch.

diff: same
"""

import sys

import tensorflow as tf

w = tf.Variable(2.0, name="w")


@tf.function
def train_step(x):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean((w * x - 1.0) ** 2)
    tf.print("loss", loss, output_stream=sys.stdout)
    w.assign_sub(0.1 * tape.gradient(loss, w))
    return loss


for _ in range(3):
    train_step(tf.constant([1.0, 2.0]))
