"""A generator of TensorFlow's, whose state is a variable, and stateless numbers.

diff: same
"""

import tensorflow as tf

w = tf.Variable(2.0, name="w")
generator = tf.random.Generator.from_seed(3)


@tf.function
def train_step(x, seed):
    x += generator.normal([2]) + tf.random.stateless_uniform([2], seed)
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean((w * x - 1.0) ** 2)
    w.assign_sub(0.1 * tape.gradient(loss, w))
    return loss


for batch in range(3):
    print(float(train_step(tf.constant([1.0, 2.0]), tf.constant([batch, 1]))))
