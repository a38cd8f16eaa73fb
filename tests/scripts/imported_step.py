"""A step function in an imported module."""

import tensorflow as tf
from parts.steps import train_step, weight

for batch in range(3):
    x = tf.constant([[1.0, 2.0], [3.0, -1.0]]) * (batch + 1)
    print(batch, float(train_step(x, tf.zeros((2, 1)))).hex())
print(weight.numpy().tolist())
