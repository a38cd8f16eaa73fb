"""The whole training loop inside one `@tf.function`."""

import tensorflow as tf

weight = tf.Variable([1.0, -2.0], name="weight")


@tf.function
def train(steps):
    loss = tf.constant(0.0)
    for step in tf.range(steps):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(tf.square(weight * tf.cast(step + 1, tf.float32) - 1.0))
        weight.assign_sub(0.01 * tape.gradient(loss, weight))
    return loss


print(float(train(tf.constant(5))).hex())
print(weight.numpy().tolist())
