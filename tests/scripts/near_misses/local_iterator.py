"""An iterator that the step makes itself, and that nobody else sees.

diff: same
"""

import tensorflow as tf

w = tf.Variable(2.0, name="w")


@tf.function
def train_step(x):
    powers = iter((1.0, 2.0, 3.0))
    first = next(powers)
    with tf.GradientTape() as tape:
        y = first * x
        for power in powers:
            y += x**power
        loss = tf.reduce_mean((w * y - 1.0) ** 2)
    w.assign_sub(0.01 * tape.gradient(loss, w))
    return loss


for _ in range(3):
    print(float(train_step(tf.constant([1.0, 2.0]))))
