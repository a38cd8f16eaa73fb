"""The batch reaches the step through a global name, and the graph holds the first one.

diff: different
frozen-value: w * batch
"""

import tensorflow as tf

w = tf.Variable(2.0, name="w")


@tf.function
def train_step():
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean((w * batch - 1.0) ** 2)
    w.assign_sub(0.1 * tape.gradient(loss, w))
    return loss


for number in range(3):
    batch = tf.constant([1.0, 2.0]) + number
    print(float(train_step()))
