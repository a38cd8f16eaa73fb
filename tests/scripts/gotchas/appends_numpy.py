"""The tutorial's history of losses: `.numpy()` exists only eagerly.

diff: fails_to_trace
eager-only-numpy: loss_history.append(loss_value.numpy().mean())
"""

import tensorflow as tf

w = tf.Variable([[0.5], [-0.25]], name="w")
loss_history = []


@tf.function
def train_step(x):
    with tf.GradientTape() as tape:
        loss_value = tf.reduce_mean(tf.square(x @ w))
    loss_history.append(loss_value.numpy().mean())
    w.assign_sub(0.1 * tape.gradient(loss_value, w))


for batch in range(3):
    train_step(tf.ones((4, 2)) * (batch + 1.0))
print(loss_history)
