"""A convolutional network with batch normalization trained by Keras' fit."""

import numpy as np
import tensorflow as tf

rng = np.random.default_rng(3)
labels = rng.integers(0, 3, 128)
images = (rng.normal(size=(128, 8, 8, 3)) + labels[:, None, None, None] - 1).astype("float32")

inputs = tf.keras.Input((8, 8, 3))
x = inputs
for filters in (8, 16):
    x = tf.keras.layers.Conv2D(filters, 3, padding="same", use_bias=False)(x)
    x = tf.keras.layers.BatchNormalization()(x)
    x = tf.keras.layers.ReLU()(x)
x = tf.keras.layers.GlobalAveragePooling2D()(x)
model = tf.keras.Model(inputs, tf.keras.layers.Dense(3, activation="softmax")(x))
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(images, labels, batch_size=32, epochs=2, verbose=0)
model.evaluate(images, labels, verbose=0)
