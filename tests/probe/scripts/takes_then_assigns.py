"""The first op behind `next` is an assignment, and what `next` gave soon has another value under its name."""

import tensorflow as tf

weight = tf.Variable([2.0, 1.0], name="weight")
counter = tf.Variable(0.0, name="counter")


def train_step(batches):
    size = tf.reduce_sum(weight**2)
    x = next(batches)
    counter.assign_add(1.0)
    x = x * 2.0
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(weight * x) + 0.0 * size
    weight.assign_sub(0.1 * tape.gradient(loss, weight))
    return loss


def numbers():
    for number in range(1, 9):
        yield tf.constant([1.0 * number, 2.0])


batches = numbers()
for _ in range(6):
    print(float(train_step(batches)))
