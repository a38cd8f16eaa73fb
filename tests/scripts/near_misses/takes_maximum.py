"""TensorFlow's maximum of tensors, Python's of numbers.

diff: same
"""

import tensorflow as tf

w = tf.Variable(2.0, name="w")


@tf.function
def train_step(x):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean((w * x - 1.0) ** 2)
    gradient = tape.gradient(loss, w)
    w.assign_sub(0.1 * gradient / tf.maximum(tf.abs(gradient), max(0.5, 1.0)))
    return loss


for _ in range(3):
    print(float(train_step(tf.constant([1.0, 2.0]))))
