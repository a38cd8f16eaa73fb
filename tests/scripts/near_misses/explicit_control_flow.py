"""tf.cond, tf.while_loop, tf.map_fn and tf.where, written out.

diff: same, op by op
"""

import tensorflow as tf

w = tf.Variable(2.0, name="w")


@tf.function
def train_step(x):
    x = tf.cond(tf.reduce_sum(x) > 1.0, lambda: x * 0.5, lambda: x)
    _, x = tf.while_loop(lambda i, v: i < 3, lambda i, v: (i + 1, v * 1.1), (0, x))
    x = tf.map_fn(lambda v: v * v, x)
    x = tf.where(x > 0.5, x, 0.5)
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean((w * x - 1.0) ** 2)
    w.assign_sub(0.1 * tape.gradient(loss, w))
    return loss


for _ in range(3):
    print(float(train_step(tf.constant([1.0, 2.0]))))
