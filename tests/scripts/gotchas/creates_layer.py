"""A layer is made in each batch, with weights of its own.

diff: fails_to_trace
variable-creation: head(x)
"""

import tensorflow as tf

w = tf.Variable([[0.5], [-0.25]], name="w")


def train_step(x):
    head = tf.keras.layers.Dense(2, kernel_initializer="ones")
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.square(head(x) @ w))
    w.assign_sub(0.01 * tape.gradient(loss, w))
    return loss


for batch in range(3):
    print(float(train_step(tf.ones((4, 2)) * (batch + 1.0))))
