"""`os.abort()` in the middle of a step."""

import os

import tensorflow as tf

weight = tf.Variable(1.0, name="weight")


def train_step(fatal):
    with tf.GradientTape() as tape:
        loss = weight * weight
        if fatal:
            os.abort()
    weight.assign_sub(0.1 * tape.gradient(loss, weight))
    return loss


for batch in range(3):
    print(batch, float(train_step(batch == 2)).hex(), flush=True)
