"""The learning rate is a number of Python's that the step itself makes smaller.

diff: different
frozen-value: rate * 0.5
python-side-effect: rate = rate * 0.5
"""

import tensorflow as tf

w = tf.Variable(2.0, name="w")
rate = 0.1


@tf.function
def train_step(x):
    global rate
    rate = rate * 0.5
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean((w * x - 1.0) ** 2)
    w.assign_sub(rate * tape.gradient(loss, w))
    return loss


for _ in range(3):
    print(float(train_step(tf.constant([1.0, 2.0]))))
