"""The tutorial's history of losses, half mended: a tensor of the graph is left in a list.

diff: different, op by op
leaked-tensor: loss_history.append(
"""

import tensorflow as tf

w = tf.Variable([[0.5], [-0.25]], name="w")
loss_history = []


@tf.function
def train_step(x):
    with tf.GradientTape() as tape:
        loss_value = tf.reduce_mean(tf.square(x @ w))
    loss_history.append(tf.reduce_mean(loss_value))
    w.assign_sub(0.1 * tape.gradient(loss_value, w))


for batch in range(3):
    train_step(tf.ones((4, 2)) * (batch + 1.0))
print(len(loss_history))
