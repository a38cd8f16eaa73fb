"""An exception under a condition on a tensor is raised while tracing, whatever the value.

diff: fails_to_trace
raise-under-condition: raise ValueError("the loss explodes")
"""

import tensorflow as tf

w = tf.Variable(2.0, name="w")


def train_step(x):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean((w * x - 1.0) ** 2)
    if loss > 1e6:
        raise ValueError("the loss explodes")
    w.assign_sub(0.1 * tape.gradient(loss, w))
    return loss


for _ in range(3):
    print(float(train_step(tf.constant([1.0, 2.0]))))
