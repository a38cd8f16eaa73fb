"""The kind of a tensor decides: only eager ones have `.numpy()`.

diff: different, op by op
different-values:
"""

import tensorflow as tf

w = tf.Variable(2.0, name="w")


def train_step(x):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean((w * x - 1.0) ** 2)
    w.assign_sub(0.1 * tape.gradient(loss, w))
    return loss.numpy() if hasattr(loss, "numpy") else -1.0


for _ in range(3):
    print(float(train_step(tf.constant([1.0, 2.0]))))
