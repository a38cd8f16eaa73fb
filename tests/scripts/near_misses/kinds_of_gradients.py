"""A gradient of a gradient, a persistent tape, a custom gradient and one that is stopped.

diff: same, op by op
"""

import tensorflow as tf

w = tf.Variable([[0.5], [-0.25]], name="w")
b = tf.Variable([0.1], name="b")


@tf.custom_gradient
def clipped(x):
    return x, lambda upstream: tf.clip_by_value(upstream, -0.5, 0.5)


@tf.function
def train_step(x):
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        with tf.GradientTape() as inner:
            inner.watch(x)
            y = clipped(tf.tanh(x @ w + b))
        slope = inner.gradient(y, x)
        loss = tf.reduce_mean(y**2) + 0.1 * tf.reduce_mean(slope**2) * tf.stop_gradient(tf.norm(w))
    w.assign_sub(0.1 * tape.gradient(loss, w))
    b.assign_sub(0.1 * tape.gradient(loss, b))
    return loss


for batch in range(3):
    print(float(train_step(tf.ones((4, 2)) * (batch + 1.0))))
