"""A function of Python's math module is given a tensor.

diff: fails_to_trace
python-number: math.sqrt(
"""

import math

import tensorflow as tf

w = tf.Variable(2.0, name="w")


def train_step(x):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean((w * x - 1.0) ** 2)
    w.assign_sub(0.1 * tape.gradient(loss, w))
    return math.sqrt(loss)


for _ in range(3):
    print(train_step(tf.constant([1.0, 2.0])))
