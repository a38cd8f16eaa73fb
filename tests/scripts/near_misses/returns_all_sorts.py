"""Tensors, numbers, texts and None in a nested structure are returned.

diff: same, op by op
"""

import tensorflow as tf

w = tf.Variable(2.0, name="w")


@tf.function
def train_step(x):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean((w * x - 1.0) ** 2)
    w.assign_sub(0.1 * tape.gradient(loss, w))
    return {"loss": loss, "more": [None, 3, "text", (1.5, True)]}


for _ in range(3):
    print(float(train_step(tf.constant([1.0, 2.0]))["loss"]))
