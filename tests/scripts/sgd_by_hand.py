"""Plain gradient descent with `assign_sub`, `assign`, `assign_add` and `scatter_nd_sub`."""

import tensorflow as tf

weight = tf.Variable([1.0, 2.0, 3.0], name="weight")
bias = tf.Variable(0.5, name="bias")
steps = tf.Variable(0, trainable=False, name="steps")


def train_step(x):
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(tf.square(weight * x + bias))
    d_weight, d_bias = tape.gradient(loss, [weight, bias])
    weight.assign_sub(0.01 * d_weight)
    weight.scatter_nd_sub([[0]], [0.125])
    bias.assign(bias - 0.01 * d_bias)
    steps.assign_add(1)
    return loss


for batch in range(3):
    print(float(train_step(tf.constant([1.0, -1.0, 0.5]) * (batch + 1))).hex())
print(weight.numpy().tolist(), float(bias).hex(), int(steps))
