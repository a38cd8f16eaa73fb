"""`os._exit(7)`: no exit handler runs."""

import os

import tensorflow as tf

weight = tf.Variable(1.0, name="weight")
for batch in range(3):
    with tf.GradientTape() as tape:
        loss = weight * weight
    weight.assign_sub(0.1 * tape.gradient(loss, weight))
    print(batch, float(weight).hex(), flush=True)
os._exit(7)
