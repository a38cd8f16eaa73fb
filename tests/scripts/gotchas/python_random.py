"""Python's random numbers decide whether the batch is flipped: once, while tracing.

diff: different
frozen-random: random.random()
"""

import random

import tensorflow as tf

w = tf.Variable([[0.5], [-0.25]], name="w")


@tf.function
def train_step(x):
    if random.random() < 0.5:
        x = tf.reverse(x, [1])
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.square(x @ w))
    w.assign_sub(0.1 * tape.gradient(loss, w))
    return loss


for batch in range(3):
    print(float(train_step(tf.reshape(tf.range(8.0), (4, 2)) + batch)))
