"""Batches that are slices of an array, by a Python number."""
# EXPECT different on batch 2

import numpy as np
import tensorflow as tf

data = np.arange(24, dtype="float32").reshape(12, 2) / 24.0
weight = tf.Variable([[0.5], [-0.25]])
for first in range(0, 12, 4):  # RULE retraces
    x = data[first : first + 4]
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.square(x @ weight))
    weight.assign_sub(0.1 * tape.gradient(loss, weight))
print(weight.numpy().tolist())
