"""Tapes inside tapes: a gradient penalty, and a second derivative."""

import tensorflow as tf

weight = tf.Variable([[0.3, -0.7], [0.2, 0.9]], name="weight")


def train_step(x):
    with tf.GradientTape() as tape:
        with tf.GradientTape() as penalty_tape:
            penalty_tape.watch(x)
            score = tf.reduce_sum(tf.tanh(x @ weight))
        slope = penalty_tape.gradient(score, x)
        loss = score + tf.reduce_mean(tf.square(tf.norm(slope, axis=1) - 1.0))
    weight.assign_sub(0.05 * tape.gradient(loss, weight))
    return loss


for batch in range(2):
    print(batch, float(train_step(tf.constant([[1.0, -1.0], [0.5, 2.0]]) + batch)).hex())


def curvature(y):
    with tf.GradientTape() as outer:
        with tf.GradientTape() as inner:
            cube = y**3
        first = inner.gradient(cube, y)
    return first, outer.gradient(first, y)


print(*(float(value).hex() for value in curvature(tf.Variable(1.5, name="y"))))
