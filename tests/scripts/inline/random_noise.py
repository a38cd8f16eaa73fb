"""NumPy's random numbers, drawn for each batch."""
# EXPECT different on batch 2

import numpy as np
import tensorflow as tf

np.random.seed(7)
weight = tf.Variable([[0.5], [-0.25]])
for x in tf.data.Dataset.from_tensor_slices(tf.ones((9, 2))).batch(3):
    noise = np.random.normal(size=(3, 2)).astype("float32")  # RULE frozen-random
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.square((x + noise) @ weight))
    weight.assign_sub(0.1 * tape.gradient(loss, weight))
print(weight.numpy().tolist())
