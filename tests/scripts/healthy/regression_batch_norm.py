"""Regression with batch normalization in a loop of one's own, training=True where it belongs."""

import numpy as np
import tensorflow as tf

rng = np.random.default_rng(4)
x = rng.normal(size=(256, 10)).astype("float32")
y = (np.sin(x[:, :1]) + 0.5 * x[:, 1:2]).astype("float32")
data = tf.data.Dataset.from_tensor_slices((x, y)).batch(32)

model = tf.keras.Sequential([
    tf.keras.layers.Dense(32, use_bias=False), tf.keras.layers.BatchNormalization(), tf.keras.layers.Activation("relu"),
    tf.keras.layers.Dense(32, use_bias=False), tf.keras.layers.BatchNormalization(), tf.keras.layers.Activation("relu"),
    tf.keras.layers.Dense(1),
])  # fmt: skip
mse = tf.keras.losses.MeanSquaredError()
optimizer = tf.keras.optimizers.AdamW(3e-3)
for epoch in range(2):
    for features, targets in data:
        with tf.GradientTape() as tape:
            loss = mse(targets, model(features, training=True))
        optimizer.apply(tape.gradient(loss, model.trainable_variables), model.trainable_variables)
    print(epoch, float(mse(y, model(x, training=False))))
