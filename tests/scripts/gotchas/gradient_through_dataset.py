"""The loss of a whole tf.data.Dataset under one tape: no gradient goes through such a loop in a graph.

diff: fails_to_trace
none-in-graph: w.assign_sub(
"""

import tensorflow as tf

w = tf.Variable(2.0, name="w")
dataset = tf.data.Dataset.from_tensor_slices(tf.reshape(tf.range(6.0), (3, 2)))


def train_epoch(data):
    with tf.GradientTape() as tape:
        loss = 0.0
        for x in data:
            loss += tf.reduce_mean((w * x - 1.0) ** 2)
    w.assign_sub(0.01 * tape.gradient(loss, w))
    return loss


for _ in range(2):
    print(float(train_epoch(dataset)))
