"""A comprehension goes through the rows of a tensor.

diff: fails_to_trace
comprehension-on-tensor: [row * 2.0 for row in x]
"""

import tensorflow as tf

w = tf.Variable([[0.5], [-0.25]], name="w")


def train_step(x):
    x = tf.stack([row * 2.0 for row in x])
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.square(x @ w))
    w.assign_sub(0.1 * tape.gradient(loss, w))
    return loss


for batch in range(3):
    print(float(train_step(tf.ones((4, 2)) * (batch + 1.0))))
