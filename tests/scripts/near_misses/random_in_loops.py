"""Random numbers in a loop of the graph and in one that is unrolled.

diff: same, op by op
"""

import tensorflow as tf

tf.random.set_seed(4)
w = tf.Variable(2.0, name="w")


@tf.function
def train_step(x):
    for _ in tf.range(4):
        x += tf.random.normal([])
    for _ in range(3):
        x += tf.random.normal([])
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean((w * x - 1.0) ** 2)
    w.assign_sub(0.01 * tape.gradient(loss, w))
    return loss


for _ in range(3):
    print(float(train_step(tf.constant([1.0, 2.0]))))
