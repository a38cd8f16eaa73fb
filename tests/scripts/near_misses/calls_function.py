"""The step calls another tf.function, and a function that it makes itself.

diff: same, op by op
"""

import tensorflow as tf

w = tf.Variable(2.0, name="w")


@tf.function
def penalty(weight):
    return 0.1 * tf.square(weight)


@tf.function
def train_step(x):
    def predict(x):
        return w * x

    with tf.GradientTape() as tape:
        loss = tf.reduce_mean((predict(x) - 1.0) ** 2) + penalty(w)
    w.assign_sub(0.1 * tape.gradient(loss, w))
    return loss


for _ in range(3):
    print(float(train_step(tf.constant([1.0, 2.0]))))
