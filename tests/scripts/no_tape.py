"""TensorFlow without any tape."""

import tensorflow as tf

print(float(tf.reduce_sum(tf.exp(tf.linspace(0.0, 1.0, 5)))).hex())
