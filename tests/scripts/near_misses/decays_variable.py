"""The step makes a rate smaller that is a variable.

diff: same
"""

import tensorflow as tf

w = tf.Variable(2.0, name="w")
rate = tf.Variable(0.1, name="rate")


@tf.function
def train_step(x):
    rate.assign(rate * 0.5)
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean((w * x - 1.0) ** 2)
    w.assign_sub(rate * tape.gradient(loss, w))
    return loss


for _ in range(3):
    print(float(train_step(tf.constant([1.0, 2.0]))))
