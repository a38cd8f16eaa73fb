"""TensorFlow's random numbers, with and without a seed, and dropout.

diff: same, op by op
"""

import tensorflow as tf

tf.random.set_seed(4)
w = tf.Variable([[0.5], [-0.25]], name="w")


@tf.function
def train_step(x):
    noise = tf.random.uniform([]) + tf.random.normal([3], seed=5)[0]
    x = tf.nn.dropout(x, 0.5)
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.square(x @ w)) * noise
    w.assign_sub(0.1 * tape.gradient(loss, w))
    return loss


for batch in range(3):
    print(float(train_step(tf.ones((4, 2)) * (batch + 1.0))))
