"""A step in a plain function: a dense layer by hand, three batches."""

import tensorflow as tf

weight = tf.Variable([[0.5], [-0.25]], name="weight")
bias = tf.Variable([0.125], name="bias")


def train_step(x, y):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.square(tf.tanh(x @ weight + bias) - y))
    gradients = tape.gradient(loss, [weight, bias])
    for variable, gradient in zip([weight, bias], gradients, strict=True):
        variable.assign_sub(0.1 * gradient)
    return loss


for batch in range(3):
    x = tf.reshape(tf.range(8, dtype=tf.float32), (4, 2)) / (batch + 7.0)
    print(batch, float(train_step(x, tf.ones((4, 1)))).hex())
print(weight.numpy().tobytes().hex(), bias.numpy().tobytes().hex())
