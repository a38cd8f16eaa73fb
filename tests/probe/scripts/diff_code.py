"""Steps with helpers, branches and loops, one that cannot be traced, and one that takes its input by itself."""

import tensorflow as tf

w = tf.Variable([[0.5], [-0.25]], name="w")
history = []
batches = (tf.ones((4, 2)) * turn for turn in (1.0, 2.0, 3.0))


def clip(y, limit):
    if tf.reduce_max(y) > limit:
        y = y / limit
        y = tf.tanh(y)
    else:
        y = y * 1.0
    return y


def train_step(x):
    with tf.GradientTape() as tape:
        y = clip(x @ w, 3.0)
        for _ in range(2):
            y = y + 1.0
        while tf.reduce_sum(y) > 100.0:
            y = y * 0.5
        loss = tf.reduce_mean(y**2)
    history.append(1)
    w.assign_sub(0.01 * tape.gradient(loss, w))
    return loss


def fails(x):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(clip(x @ w, 3.0) ** 2)
    history.append(loss.numpy())
    w.assign_sub(0.01 * tape.gradient(loss, w))
    return loss


def takes():
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean((next(batches) @ w) ** 2)
    w.assign_sub(0.01 * tape.gradient(loss, w))
    return loss


data = tf.constant([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0], [7.0, 9.0]])
train_step(data)
fails(data)
takes()
train_step(data)
