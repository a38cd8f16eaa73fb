"""A VQ-VAE: codes are looked up by their distance, and the gradient goes straight through."""

import numpy as np
import tensorflow as tf
from tensorflow import keras

rng = np.random.default_rng(46)
x_train = rng.random((256, 8, 8, 1)).astype("float32") * (rng.random((256, 1, 1, 1)) > 0.3)
x_train = np.float32(x_train) - 0.5


class VectorQuantizer(keras.layers.Layer):
    def __init__(self, codes, dim, beta=0.25):
        super().__init__()
        self.codes, self.dim, self.beta = codes, dim, beta
        self.embeddings = self.add_weight(shape=(dim, codes), initializer="random_uniform", name="embeddings")

    def call(self, x):
        flat = tf.reshape(x, (-1, self.dim))
        distances = (
            tf.reduce_sum(flat**2, axis=1, keepdims=True)
            + tf.reduce_sum(self.embeddings**2, axis=0)
            - 2 * tf.matmul(flat, self.embeddings)
        )
        encodings = tf.one_hot(tf.argmin(distances, axis=1), self.codes)
        quantized = tf.reshape(tf.matmul(encodings, self.embeddings, transpose_b=True), tf.shape(x))
        commitment = tf.reduce_mean((tf.stop_gradient(quantized) - x) ** 2)
        codebook = tf.reduce_mean((quantized - tf.stop_gradient(x)) ** 2)
        self.add_loss(self.beta * commitment + codebook)
        return x + tf.stop_gradient(quantized - x)


encoder = keras.Sequential(
    [
        keras.Input((8, 8, 1)),
        keras.layers.Conv2D(16, 3, activation="relu", strides=2, padding="same"),
        keras.layers.Conv2D(8, 1, padding="same"),
    ]
)
decoder = keras.Sequential(
    [
        keras.Input((4, 4, 8)),
        keras.layers.Conv2DTranspose(16, 3, activation="relu", strides=2, padding="same"),
        keras.layers.Conv2DTranspose(1, 3, padding="same"),
    ]
)
quantizer = VectorQuantizer(16, 8)
inputs = keras.Input((8, 8, 1))
vqvae = keras.Model(inputs, decoder(quantizer(encoder(inputs))))
variance = float(np.var(x_train))


class Trainer(keras.Model):
    def __init__(self):
        super().__init__()
        self.vqvae = vqvae
        self.total = keras.metrics.Mean(name="loss")

    @property
    def metrics(self):
        return [self.total]

    def train_step(self, x):
        with tf.GradientTape() as tape:
            reconstructed = self.vqvae(x)
            loss = tf.reduce_mean((x - reconstructed) ** 2) / variance + sum(self.vqvae.losses)
        grads = tape.gradient(loss, self.vqvae.trainable_variables)
        self.optimizer.apply_gradients(zip(grads, self.vqvae.trainable_variables, strict=True))
        self.total.update_state(loss)
        return {"loss": self.total.result()}


trainer = Trainer()
trainer.compile(optimizer=keras.optimizers.Adam())
trainer.fit(x_train, epochs=2, batch_size=32, verbose=0)
