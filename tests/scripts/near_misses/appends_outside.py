"""The history of losses as it should be: appended where the step is called.

diff: same
"""

import tensorflow as tf

w = tf.Variable([[0.5], [-0.25]], name="w")
loss_history = []


@tf.function
def train_step(x):
    with tf.GradientTape() as tape:
        loss_value = tf.reduce_mean(tf.square(x @ w))
    w.assign_sub(0.1 * tape.gradient(loss_value, w))
    return tf.reduce_mean(loss_value)


for batch in range(3):
    loss_history.append(train_step(tf.ones((4, 2)) * (batch + 1.0)).numpy().mean())
print(loss_history)
