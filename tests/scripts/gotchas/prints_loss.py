"""Python's print shows a loss eagerly; while tracing, a tensor without a value.

diff: different
python-print: print("loss", loss)
"""

import tensorflow as tf

w = tf.Variable(2.0, name="w")


@tf.function
def train_step(x):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean((w * x - 1.0) ** 2)
    print("loss", loss)
    w.assign_sub(0.1 * tape.gradient(loss, w))


for _ in range(3):
    train_step(tf.constant([1.0, 2.0]))
