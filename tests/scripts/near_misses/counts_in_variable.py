"""The counter is a variable.

diff: same, op by op
"""

import tensorflow as tf

w = tf.Variable(2.0, name="w")
counter = tf.Variable(0, name="counter")


@tf.function
def train_step(x):
    counter.assign_add(1)
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean((w * x - 1.0) ** 2)
    w.assign_sub(0.1 * tape.gradient(loss, w))
    return loss


for _ in range(3):
    train_step(tf.constant([1.0, 2.0]))
print(int(counter))
