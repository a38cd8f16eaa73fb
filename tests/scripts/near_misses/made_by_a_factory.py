"""The step is made by a function, with what it needs around it.

diff: same
"""

import tensorflow as tf


def make_step(w, rate, loss_function):
    @tf.function
    def train_step(x):
        with tf.GradientTape() as tape:
            loss = loss_function(w * x)
        w.assign_sub(rate * tape.gradient(loss, w))
        return loss

    return train_step


steps = [
    make_step(tf.Variable(2.0, name="a"), 0.1, lambda y: tf.reduce_mean((y - 1.0) ** 2)),
    make_step(tf.Variable(3.0, name="b"), 0.05, lambda y: tf.reduce_mean(tf.abs(y - 1.0))),
]
for batch in range(4):
    print(float(steps[batch % 2](tf.constant([1.0, 2.0]))))
