"""AutoGraph is told to leave a helper alone that has a condition on a tensor.

diff: fails_to_trace
python-condition-on-tensor: if tf.reduce_sum(x) > 0.0:
"""

import tensorflow as tf

w = tf.Variable(2.0, name="w")


@tf.autograph.experimental.do_not_convert
def scaled(x):
    if tf.reduce_sum(x) > 0.0:
        return x * 0.5
    return x


def train_step(x):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean((w * scaled(x) - 1.0) ** 2)
    w.assign_sub(0.1 * tape.gradient(loss, w))
    return loss


for _ in range(3):
    print(float(train_step(tf.constant([1.0, 2.0]))))
