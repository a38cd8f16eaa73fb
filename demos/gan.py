"""A generative adversarial network: two tapes and two optimizers in one step."""

import argparse

import digits
import tensorflow as tf

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--epochs", type=int, default=2)
parser.add_argument("--batches", type=int, default=-1, help="batches in an epoch (default: all)")
options = parser.parse_args()

BATCH, NOISE = 32, 16
tf.keras.utils.set_random_seed(1)

images, labels = digits.load()
dataset = tf.data.Dataset.from_tensor_slices(images)
dataset = dataset.shuffle(1000, seed=1).batch(BATCH, drop_remainder=True).take(options.batches)

generator = tf.keras.Sequential(
    [
        tf.keras.Input((NOISE,)),
        tf.keras.layers.Dense(7 * 7 * 8, activation="relu"),
        tf.keras.layers.Reshape((7, 7, 8)),
        tf.keras.layers.Conv2DTranspose(8, 4, strides=2, padding="same", activation="relu"),
        tf.keras.layers.Conv2DTranspose(1, 4, strides=2, padding="same", activation="sigmoid"),
    ],
    name="generator",
)
discriminator = tf.keras.Sequential(
    [
        tf.keras.Input((28, 28, 1)),
        tf.keras.layers.Conv2D(8, 4, strides=2, padding="same"),
        tf.keras.layers.LeakyReLU(),
        tf.keras.layers.Conv2D(16, 4, strides=2, padding="same"),
        tf.keras.layers.LeakyReLU(),
        tf.keras.layers.Flatten(),
        tf.keras.layers.Dense(1),
    ],
    name="discriminator",
)
generator_optimizer = tf.keras.optimizers.Adam(1e-3)
discriminator_optimizer = tf.keras.optimizers.Adam(1e-3)
cross_entropy = tf.keras.losses.BinaryCrossentropy(from_logits=True)


def generator_loss(fake):
    return cross_entropy(tf.ones_like(fake), fake)


def discriminator_loss(real, fake):
    return cross_entropy(tf.ones_like(real), real) + cross_entropy(tf.zeros_like(fake), fake)


def train_step(images):
    noise = tf.random.normal((BATCH, NOISE))
    with tf.GradientTape() as gen_tape, tf.GradientTape() as disc_tape:
        generated = generator(noise, training=True)
        real = discriminator(images, training=True)
        fake = discriminator(generated, training=True)
        gen_loss = generator_loss(fake)
        disc_loss = discriminator_loss(real, fake)

    gen_gradients = gen_tape.gradient(gen_loss, generator.trainable_variables)
    disc_gradients = disc_tape.gradient(disc_loss, discriminator.trainable_variables)
    generator_optimizer.apply_gradients(zip(gen_gradients, generator.trainable_variables, strict=True))
    discriminator_optimizer.apply_gradients(
        zip(disc_gradients, discriminator.trainable_variables, strict=True)
    )
    return float(gen_loss), float(disc_loss)


def train(epochs):
    for epoch in range(epochs):
        losses = [train_step(images) for images in dataset]
        gen_loss, disc_loss = (sum(column) / len(losses) for column in zip(*losses, strict=True))
        print(f"Epoch {epoch + 1}: generator loss {gen_loss:.4f}, discriminator loss {disc_loss:.4f}")


train(epochs=options.epochs)
