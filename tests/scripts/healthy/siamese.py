"""Siamese networks with a contrastive loss."""

import numpy as np
import tensorflow as tf

rng = np.random.default_rng(16)
centres = rng.normal(size=(5, 10))
classes = rng.integers(0, 5, (512, 2))
pairs = (centres[classes] + 0.3 * rng.normal(size=(512, 2, 10))).astype("float32")
same = (classes[:, 0] == classes[:, 1]).astype("float32")
embed = tf.keras.Sequential(
    [tf.keras.Input((10,)), tf.keras.layers.Dense(32, "relu"), tf.keras.layers.Dense(8)]
)
optimizer = tf.keras.optimizers.RMSprop(1e-3)
for i in range(0, 512, 32):
    left, right, label = pairs[i : i + 32, 0], pairs[i : i + 32, 1], same[i : i + 32]
    with tf.GradientTape() as tape:
        squares = tf.reduce_sum(tf.square(embed(left) - embed(right)), axis=1, keepdims=True)
        distance = tf.sqrt(tf.maximum(squares, 1e-7))[:, 0]
        loss = tf.reduce_mean(
            label * tf.square(distance) + (1 - label) * tf.square(tf.maximum(1 - distance, 0))
        )
    gradients = tape.gradient(loss, embed.trainable_variables)
    optimizer.apply_gradients(zip(gradients, embed.trainable_variables, strict=True))
