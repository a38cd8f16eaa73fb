"""A loop of the graph inside of the tape.

diff: same, op by op
"""

import tensorflow as tf

w = tf.Variable([[0.5], [-0.25]], name="w")


@tf.function
def train_step(x):
    with tf.GradientTape() as tape:
        h = x @ w
        for _ in tf.range(3):
            h = tf.tanh(h) * 1.5
        loss = tf.reduce_mean(tf.square(h))
    w.assign_sub(0.1 * tape.gradient(loss, w))
    return loss


for batch in range(3):
    print(float(train_step(tf.ones((4, 2)) * (batch + 1.0))))
