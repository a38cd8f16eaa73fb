"""The loop binds names again that the step has for itself: its parameters and its own variables.

diff: same
"""

import tensorflow as tf

w = tf.Variable(2.0, name="w")


@tf.function
def train_step(x, y):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean((w * x - y) ** 2)
    gradient = tape.gradient(loss, w)
    w.assign_sub(0.1 * gradient)
    return loss, gradient


for number in range(3):
    x = tf.constant([1.0, 2.0]) * (number + 1.0)
    y = x * 3.0
    loss, gradient = train_step(x, y)
    print(float(loss), float(gradient))
