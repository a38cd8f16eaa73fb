"""A Wasserstein GAN with gradient penalty, as in Keras' examples: second-order gradients, losses of either sign."""

import numpy as np
import tensorflow as tf

rng = np.random.default_rng(8)
points = (rng.normal(size=(256, 2)) @ [[1.0, 0.4], [0.0, 0.3]]).astype("float32")
data = tf.data.Dataset.from_tensor_slices(points).batch(64)
generator = tf.keras.Sequential(
    [tf.keras.Input((4,)), tf.keras.layers.Dense(32, "relu"), tf.keras.layers.Dense(2)]
)
critic = tf.keras.Sequential(
    [tf.keras.Input((2,)), tf.keras.layers.Dense(32, "relu"), tf.keras.layers.Dense(1)]
)
generator_optimizer = tf.keras.optimizers.Adam(2e-4, beta_1=0.5)
critic_optimizer = tf.keras.optimizers.Adam(2e-4, beta_1=0.5)


def gradient_penalty(real, fake):
    mix = tf.random.uniform([len(real), 1])
    between = real * mix + fake * (1 - mix)
    with tf.GradientTape() as tape:
        tape.watch(between)
        score = critic(between, training=True)
    slopes = tape.gradient(score, between)
    return tf.reduce_mean((tf.sqrt(tf.reduce_sum(tf.square(slopes), axis=1)) - 1.0) ** 2)


def train_critic(real):
    noise = tf.random.normal([len(real), 4])
    with tf.GradientTape() as tape:
        fake = generator(noise, training=True)
        loss = tf.reduce_mean(critic(fake, training=True)) - tf.reduce_mean(critic(real, training=True))
        loss += 10.0 * gradient_penalty(real, fake)
    gradients = tape.gradient(loss, critic.trainable_variables)
    critic_optimizer.apply_gradients(zip(gradients, critic.trainable_variables, strict=True))


def train_generator(count):
    with tf.GradientTape() as tape:
        loss = -tf.reduce_mean(critic(generator(tf.random.normal([count, 4]), training=True), training=True))
    gradients = tape.gradient(loss, generator.trainable_variables)
    generator_optimizer.apply_gradients(zip(gradients, generator.trainable_variables, strict=True))


for _epoch in range(2):
    for real in data:
        train_critic(real)
        train_generator(len(real))
