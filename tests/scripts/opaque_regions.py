"""Code that TensorFlow runs on threads of its own: `Dataset.map`, `py_function`, `numpy_function`."""

import numpy as np
import tensorflow as tf

weight = tf.Variable(0.5, name="weight")


def double(x):
    return x * 2.0


def train_step(x):
    with tf.GradientTape() as tape:
        y = tf.py_function(lambda value: value * weight, [x], tf.float32)
        z = tf.numpy_function(lambda value: np.float32(value.sum()), [x], tf.float32)
        loss = tf.reduce_sum(tf.square(y - weight)) + z
    gradient = tape.gradient(loss, weight)
    if gradient is not None:
        weight.assign_sub(0.01 * gradient)
    print(gradient is None)
    return loss


dataset = tf.data.Dataset.from_tensor_slices(tf.range(8, dtype=tf.float32)).map(double).batch(4)
for x in dataset:
    print(float(train_step(x)).hex())
