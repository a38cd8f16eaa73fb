"""float, int and len of tensors, which AutoGraph converts.

diff: same
"""

import tensorflow as tf

w = tf.Variable(2.0, name="w")


@tf.function
def train_step(x):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean((w * x - 1.0) ** 2) / float(len(x))
    w.assign_sub(0.1 * tape.gradient(loss, w))
    return float(loss), int(tf.reduce_sum(x))


for _ in range(3):
    print(float(train_step(tf.constant([1.0, 2.0]))[0]))
