"""A GAN with two tapes in one step, as in the DCGAN tutorial."""

import numpy as np
import tensorflow as tf

rng = np.random.default_rng(7)
images = np.clip(rng.normal(0.3, 0.5, (128, 8, 8, 1)), -1, 1).astype("float32")
data = tf.data.Dataset.from_tensor_slices(images).batch(32)

generator = tf.keras.Sequential([
    tf.keras.layers.Dense(4 * 4 * 16, use_bias=False), tf.keras.layers.BatchNormalization(),
    tf.keras.layers.LeakyReLU(), tf.keras.layers.Reshape((4, 4, 16)),
    tf.keras.layers.Conv2DTranspose(1, 5, strides=2, padding="same", use_bias=False, activation="tanh"),
])  # fmt: skip
discriminator = tf.keras.Sequential([
    tf.keras.layers.Conv2D(8, 5, strides=2, padding="same"), tf.keras.layers.LeakyReLU(), tf.keras.layers.Dropout(0.3),
    tf.keras.layers.Flatten(), tf.keras.layers.Dense(1),
])  # fmt: skip
cross_entropy = tf.keras.losses.BinaryCrossentropy(from_logits=True)
generator_optimizer = tf.keras.optimizers.Adam(1e-4)
discriminator_optimizer = tf.keras.optimizers.Adam(1e-4)


@tf.function
def train_step(images):
    noise = tf.random.normal([len(images), 10])
    with tf.GradientTape() as gen_tape, tf.GradientTape() as disc_tape:
        generated = generator(noise, training=True)
        real = discriminator(images, training=True)
        fake = discriminator(generated, training=True)
        gen_loss = cross_entropy(tf.ones_like(fake), fake)
        disc_loss = cross_entropy(tf.ones_like(real), real) + cross_entropy(tf.zeros_like(fake), fake)
    gen_gradients = gen_tape.gradient(gen_loss, generator.trainable_variables)
    disc_gradients = disc_tape.gradient(disc_loss, discriminator.trainable_variables)
    generator_optimizer.apply_gradients(zip(gen_gradients, generator.trainable_variables, strict=True))
    discriminator_optimizer.apply_gradients(
        zip(disc_gradients, discriminator.trainable_variables, strict=True)
    )


for _epoch in range(2):
    for batch in data:
        train_step(batch)
