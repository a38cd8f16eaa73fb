"""The step goes through a list with an iterator: the graph has one item of it.

diff: different
python-iterator: next(rates)
"""

import tensorflow as tf

w = tf.Variable(2.0, name="w")
rates = iter([0.1, 0.05, 0.025, 0.0125, 0.01, 0.01, 0.01, 0.01])


@tf.function
def train_step(x):
    rate = next(rates)
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean((w * x - 1.0) ** 2)
    w.assign_sub(rate * tape.gradient(loss, w))
    return loss


for _ in range(3):
    print(float(train_step(tf.constant([1.0, 2.0]))))
