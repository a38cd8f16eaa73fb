"""A tf.function goes through a tf.data.Dataset and calls the step, which has the tape.

diff: same
"""

import tensorflow as tf

w = tf.Variable(2.0, name="w")
dataset = tf.data.Dataset.from_tensor_slices(tf.reshape(tf.range(6.0), (3, 2)))


def train_step(x):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean((w * x - 1.0) ** 2)
    w.assign_sub(0.01 * tape.gradient(loss, w))
    return loss


@tf.function
def train_epoch(data):
    total = 0.0
    for x in data:
        total += train_step(x)
    return total


for _ in range(2):
    print(float(train_epoch(dataset)))
