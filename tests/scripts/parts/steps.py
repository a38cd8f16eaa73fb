"""A step function that a script imports."""

import tensorflow as tf

weight = tf.Variable([[0.5], [-0.25]], name="weight")


def train_step(x, y):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.square(x @ weight - y))
    weight.assign_sub(0.1 * tape.gradient(loss, weight))
    return loss
