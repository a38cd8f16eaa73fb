"""Nothing but tensors and variables.

diff: same, op by op, costs
"""

import tensorflow as tf

w = tf.Variable([[0.5], [-0.25]], name="w")


@tf.function
def train_step(x):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.square(x @ w))
    w.assign_sub(0.1 * tape.gradient(loss, w))
    return loss


for batch in range(3):
    print(float(train_step(tf.ones((4, 2)) * (batch + 1.0))))
