"""Entries of a dict are changed in a loop of the graph by keys that AutoGraph does not see.

diff: fails_to_trace
leaked-tensor: loss = tf.reduce_mean(
"""

import tensorflow as tf

w = tf.Variable(2.0, name="w")


def train_step(x):
    parts = {"first": x[0], "second": x[1]}
    for i in tf.range(2):
        for key in parts:
            parts[key] += tf.cast(i, tf.float32)
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean((w * x - parts["first"]) ** 2)
    w.assign_sub(0.1 * tape.gradient(loss, w))
    return loss


for _ in range(3):
    print(float(train_step(tf.constant([1.0, 2.0]))))
