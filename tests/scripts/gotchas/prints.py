"""Python's print runs while tracing.

diff: different
python-print: print("training on", x.shape)
"""

import tensorflow as tf

w = tf.Variable(2.0, name="w")


@tf.function
def train_step(x):
    print("training on", x.shape)
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean((w * x - 1.0) ** 2)
    w.assign_sub(0.1 * tape.gradient(loss, w))
    return loss


for _ in range(3):
    train_step(tf.constant([1.0, 2.0]))
