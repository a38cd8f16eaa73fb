"""A name that both branches bind, to the same type.

diff: same, op by op
"""

import tensorflow as tf

w = tf.Variable(2.0, name="w")


@tf.function
def train_step(x):
    if tf.reduce_sum(x) > 0.0:  # noqa: SIM108 (AutoGraph converts the statement)
        scale = tf.constant(0.5)
    else:
        scale = tf.constant(2.0)
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean((w * x * scale - 1.0) ** 2)
    w.assign_sub(0.1 * tape.gradient(loss, w))
    return loss


for _ in range(3):
    print(float(train_step(tf.constant([1.0, 2.0]))))
