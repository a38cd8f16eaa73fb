"""A variational autoencoder with its losses summed over pixels, as in Keras' guide to custom training steps."""

import numpy as np
import tensorflow as tf

rng = np.random.default_rng(6)
images = (rng.random((128, 8, 8, 1)) < np.linspace(0.1, 0.9, 8)[:, None]).astype("float32")


class VAE(tf.keras.Model):
    def __init__(self):
        super().__init__()
        self.encoder = tf.keras.Sequential([
            tf.keras.layers.Conv2D(8, 3, strides=2, padding="same", activation="relu"), tf.keras.layers.Flatten(),
            tf.keras.layers.Dense(4),
        ])  # fmt: skip
        self.decoder = tf.keras.Sequential([
            tf.keras.layers.Dense(4 * 4 * 8, activation="relu"), tf.keras.layers.Reshape((4, 4, 8)),
            tf.keras.layers.Conv2DTranspose(1, 3, strides=2, padding="same", activation="sigmoid"),
        ])  # fmt: skip
        self.tracker = tf.keras.metrics.Mean(name="loss")

    def train_step(self, data):
        with tf.GradientTape() as tape:
            mean, log_var = tf.split(self.encoder(data), 2, axis=1)
            z = mean + tf.exp(0.5 * log_var) * tf.random.normal(tf.shape(mean))
            again = self.decoder(z)
            pixels = tf.reduce_mean(
                tf.reduce_sum(tf.keras.losses.binary_crossentropy(data, again), axis=(1, 2))
            )
            kl = tf.reduce_mean(
                tf.reduce_sum(-0.5 * (1 + log_var - tf.square(mean) - tf.exp(log_var)), axis=1)
            )
            loss = pixels + kl
        grads = tape.gradient(loss, self.trainable_weights)
        self.optimizer.apply_gradients(zip(grads, self.trainable_weights, strict=True))
        self.tracker.update_state(loss)
        return {"loss": self.tracker.result()}


vae = VAE()
vae.compile(optimizer=tf.keras.optimizers.Adam())
vae.fit(images, epochs=2, batch_size=32, verbose=0)
