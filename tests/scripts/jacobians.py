"""`tape.jacobian` and `tape.batch_jacobian`, with and without pfor."""

import tensorflow as tf

weight = tf.Variable([[0.5, -1.0, 2.0], [1.5, 0.25, -0.75]], name="weight")


def train_step(x):
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        y = tf.sin(x @ weight)
    jacobian = tape.jacobian(y, weight)
    batched = tape.batch_jacobian(y, x)
    looped = tape.jacobian(y, x, experimental_use_pfor=False)
    print(jacobian.shape, batched.shape, looped.shape)
    weight.assign_sub(0.1 * tf.reduce_mean(jacobian, axis=(0, 1)))
    return tf.reduce_sum(jacobian), tf.reduce_sum(batched), tf.reduce_sum(looped)


for batch in range(2):
    print(*(float(value).hex() for value in train_step(tf.constant([[1.0, 2.0], [-1.0, 0.5]]) + batch)))
