"""Computed in half precision, with the variables in single.

diff: same
"""

import tensorflow as tf

w = tf.Variable([[0.5], [-0.25]], name="w")


@tf.function
def train_step(x):
    with tf.GradientTape() as tape:
        y = tf.cast(x, tf.bfloat16) @ tf.cast(w, tf.bfloat16)
        loss = tf.reduce_mean(tf.square(tf.cast(y, tf.float32)))
    w.assign_sub(0.1 * tape.gradient(loss, w))
    return loss


for batch in range(3):
    print(float(train_step(tf.ones((4, 2)) * (batch + 1.0))))
