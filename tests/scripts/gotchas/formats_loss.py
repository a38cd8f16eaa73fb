"""The loss is put into a text with a format.

diff: fails_to_trace
eager-only-format: f"loss {loss:.3f}"
"""

import tensorflow as tf

w = tf.Variable(2.0, name="w")


def train_step(x):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean((w * x - 1.0) ** 2)
    w.assign_sub(0.1 * tape.gradient(loss, w))
    print(f"loss {loss:.3f}")


for _ in range(3):
    train_step(tf.constant([1.0, 2.0]))
