"""A list gathers what a loop of the graph computes: its tensors belong to the loop.

diff: fails_to_trace
leaked-tensor: tf.stack(rows)
"""

import tensorflow as tf

w = tf.Variable(2.0, name="w")


def train_step(x):
    rows = []
    for i in tf.range(2):
        rows.append(x[i] * 2.0)
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean((w * tf.stack(rows) - 1.0) ** 2)
    w.assign_sub(0.01 * tape.gradient(loss, w))
    return loss


for _ in range(3):
    print(float(train_step(tf.constant([1.0, 2.0]))))
