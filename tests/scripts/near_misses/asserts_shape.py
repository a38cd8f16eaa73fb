"""Python's assert on a shape, TensorFlow's on values.

diff: same
"""

import tensorflow as tf

w = tf.Variable([[0.5], [-0.25]], name="w")


@tf.function
def train_step(x):
    assert x.shape[1] == 2 and len(x.shape) == 2
    tf.debugging.assert_greater(tf.reduce_sum(x * x), 0.0)
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.square(x @ w))
    tf.debugging.check_numerics(loss, "the loss")
    w.assign_sub(0.1 * tape.gradient(loss, w))
    return loss


for batch in range(3):
    print(float(train_step(tf.ones((4, 2)) * (batch + 1.0))))
