"""A small U-Net with skip connections and one class per pixel, as in the segmentation tutorial."""

import numpy as np
import tensorflow as tf

rng = np.random.default_rng(26)
masks = (rng.random((64, 8, 8)) < 0.5).astype("int32")
images = (masks[..., None] + 0.3 * rng.normal(size=(64, 8, 8, 1))).astype("float32")
inputs = tf.keras.Input((8, 8, 1))
down = tf.keras.layers.Conv2D(8, 3, padding="same", activation="relu")(inputs)
low = tf.keras.layers.Conv2D(16, 3, strides=2, padding="same", activation="relu")(down)
up = tf.keras.layers.Conv2DTranspose(8, 3, strides=2, padding="same", activation="relu")(low)
out = tf.keras.layers.Conv2D(2, 1)(tf.keras.layers.Concatenate()([up, down]))
model = tf.keras.Model(inputs, out)
model.compile("adam", tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
model.fit(images, masks, batch_size=16, epochs=2, verbose=0)
