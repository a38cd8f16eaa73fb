"""A loop over Python's range is unrolled: a large graph, the same numbers.

diff: same
"""

import tensorflow as tf

w = tf.Variable([[0.5, 0.1], [-0.25, 0.3]], name="w")


@tf.function
def train_step(x):
    with tf.GradientTape() as tape:
        h = x
        for layer in range(12):
            h = tf.tanh(h @ w) + 0.1 * layer
        loss = tf.reduce_mean(tf.square(h))
    w.assign_sub(0.01 * tape.gradient(loss, w))
    return loss


for batch in range(3):
    print(float(train_step(tf.ones((4, 2)) * (batch + 1.0))))
