"""The loop changes a rate of its own and gives it to the step.

diff: same
"""

import tensorflow as tf

w = tf.Variable(2.0, name="w")


@tf.function
def train_step(x, rate):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean((w * x - 1.0) ** 2)
    w.assign_sub(rate * tape.gradient(loss, w))
    return loss


rate = 0.1
for _ in range(3):
    print(float(train_step(tf.constant([1.0, 2.0]), tf.constant(rate))))
    rate *= 0.5
