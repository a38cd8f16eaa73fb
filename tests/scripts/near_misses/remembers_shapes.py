"""A dict remembers what was computed for a shape: it is filled once, in the first batch.

diff: same
"""

import functools

import tensorflow as tf

w = tf.Variable([[0.5], [-0.25]], name="w")
masks = {}


@functools.lru_cache
def scale_for(rows):
    return 1.0 / rows


@tf.function
def train_step(x):
    rows = x.shape[0]
    if rows not in masks:
        masks[rows] = [float(row % 2) for row in range(rows)]
    mask = tf.constant(masks[rows]) * scale_for(rows)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(tf.square(x @ w)[:, 0] * mask)
    w.assign_sub(0.1 * tape.gradient(loss, w))
    return loss


for batch in range(3):
    print(float(train_step(tf.ones((4, 2)) * (batch + 1.0))))
