"""A denoising diffusion model, as in Keras' examples: noise is predicted at random times, weights are averaged."""

import math

import numpy as np
import tensorflow as tf
from tensorflow import keras

rng = np.random.default_rng(45)
STEPS = 100
betas = np.linspace(1e-4, 0.02, STEPS, dtype="float32")
alphas_bar = tf.constant(np.cumprod(1 - betas))


def images(count):
    grid = np.linspace(-1, 1, 8)
    found = []
    for _ in range(count):
        cx, cy = rng.uniform(-0.5, 0.5, 2)
        found.append(2 * np.exp(-4 * ((grid[:, None] - cx) ** 2 + (grid[None] - cy) ** 2)) - 1)
    return np.array(found, "float32")[..., None]


class TimeEmbedding(keras.layers.Layer):
    def __init__(self, dim):
        super().__init__()
        half = dim // 2
        self.frequencies = tf.exp(tf.range(half, dtype=tf.float32) * -(math.log(10000) / (half - 1)))

    def call(self, times):
        angles = tf.cast(times, tf.float32)[:, None] * self.frequencies[None]
        return tf.concat([tf.sin(angles), tf.cos(angles)], -1)


def residual(x, time, width):
    inputs = x
    x = keras.layers.GroupNormalization(4)(x)
    x = keras.activations.swish(x)
    x = keras.layers.Conv2D(width, 3, padding="same")(x)
    x = x + keras.layers.Dense(width)(time)[:, None, None, :]
    x = keras.layers.GroupNormalization(4)(x)
    x = keras.activations.swish(x)
    x = keras.layers.Conv2D(width, 3, padding="same", kernel_initializer="zeros")(x)
    return x + inputs


def build():
    image, time = keras.Input((8, 8, 1)), keras.Input((), dtype="int64")
    t = keras.layers.Dense(32, activation="swish")(TimeEmbedding(16)(time))
    x = keras.layers.Conv2D(16, 3, padding="same")(image)
    for _ in range(2):
        x = residual(x, t, 16)
    x = keras.activations.swish(keras.layers.GroupNormalization(4)(x))
    return keras.Model(
        [image, time], keras.layers.Conv2D(1, 3, padding="same", kernel_initializer="zeros")(x)
    )


network, ema = build(), build()
ema.set_weights(network.get_weights())
optimizer = keras.optimizers.Adam(1e-3)


def train_step(batch):
    size = tf.shape(batch)[0]
    times = tf.random.uniform((size,), 0, STEPS, tf.int64)
    noise = tf.random.normal(tf.shape(batch))
    kept = tf.gather(alphas_bar, times)[:, None, None, None]
    noised = tf.sqrt(kept) * batch + tf.sqrt(1 - kept) * noise
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.square(noise - network([noised, times], training=True)))
    gradients = tape.gradient(loss, network.trainable_weights)
    optimizer.apply_gradients(zip(gradients, network.trainable_weights, strict=True))
    for weight, averaged in zip(network.weights, ema.weights, strict=True):
        averaged.assign(0.99 * averaged + 0.01 * weight)
    return loss


for _ in range(12):
    train_step(tf.constant(images(16)))
