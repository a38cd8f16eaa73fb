"""Variables without a gradient: unused, read through numpy, behind argmax, behind stop_gradient."""

import tensorflow as tf

names = ("used", "unused", "through_numpy", "behind_argmax", "stopped", "integer")
used, unused, through_numpy, behind_argmax, stopped = (
    tf.Variable([1.0, 2.0], name=name) for name in names[:5]
)
integer = tf.Variable([1, 2], name="integer")
variables = [used, unused, through_numpy, behind_argmax, stopped, integer]


def train_step(x):
    with tf.GradientTape() as tape:
        y = used * x + through_numpy.numpy() + tf.stop_gradient(stopped)
        y *= tf.cast(tf.argmax(behind_argmax) + 1, tf.float32) * tf.cast(integer, tf.float32)
        loss = tf.reduce_sum(y)
    gradients = tape.gradient(loss, variables)
    for variable, gradient in zip(variables, gradients, strict=True):
        if gradient is not None:
            variable.assign_sub(0.1 * gradient)
    print([name for name, gradient in zip(names, gradients, strict=True) if gradient is None])
    return loss


for batch in range(2):
    print(float(train_step(tf.constant([0.5, batch + 1.0]))).hex())
