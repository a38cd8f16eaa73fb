"""A subclassed autoencoder trained on itself, as in the introduction to autoencoders."""

import numpy as np
import tensorflow as tf

rng = np.random.default_rng(5)
codes = rng.random((512, 4)).astype("float32")
images = (codes @ rng.random((4, 36)).astype("float32") / 4).reshape(-1, 6, 6)


class Autoencoder(tf.keras.Model):
    def __init__(self):
        super().__init__()
        self.encoder = tf.keras.Sequential(
            [tf.keras.layers.Flatten(), tf.keras.layers.Dense(8, activation="relu")]
        )
        self.decoder = tf.keras.Sequential([
            tf.keras.layers.Dense(36, activation="sigmoid"), tf.keras.layers.Reshape((6, 6)),
        ])  # fmt: skip

    def call(self, x):
        return self.decoder(self.encoder(x))


model = Autoencoder()
model.compile(optimizer="adam", loss=tf.keras.losses.MeanSquaredError())
model.fit(images, images, epochs=1, batch_size=32, verbose=0)
