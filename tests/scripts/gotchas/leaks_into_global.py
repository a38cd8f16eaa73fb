"""A tensor leaves the step through a global name: all outputs of a tf.function must be return values.

diff: different
leaked-tensor: prediction = w * x
"""

import tensorflow as tf

w = tf.Variable(2.0, name="w")
prediction = None


@tf.function
def train_step(x):
    global prediction
    with tf.GradientTape() as tape:
        prediction = w * x
        loss = tf.reduce_mean((prediction - 1.0) ** 2)
    w.assign_sub(0.1 * tape.gradient(loss, w))
    return loss


for _ in range(3):
    train_step(tf.constant([1.0, 2.0]))
print(prediction.numpy())
