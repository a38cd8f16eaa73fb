"""Three tensors of 17 MB one after the other: eagerly their names keep all of them, a graph works in one of them.

diff: same, costs
"""

import tensorflow as tf

w = tf.Variable(2.0, name="w")


@tf.function
def train_step(x):
    grown = x + 1.0
    scaled = grown * 2.0
    mean = tf.reduce_mean(scaled - 1.0)
    with tf.GradientTape() as tape:
        loss = tf.square(w * mean - 1.0)
    w.assign_sub(0.1 * tape.gradient(loss, w))
    return loss


x = tf.ones((2048, 2048))
for _ in range(2):
    print(float(train_step(x)))
