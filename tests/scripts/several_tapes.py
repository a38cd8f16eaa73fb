"""Two tapes and two optimizers in one step, as in a generative adversarial network."""

import tensorflow as tf

tf.keras.utils.set_random_seed(7)
generator = tf.keras.Sequential([tf.keras.Input((2,)), tf.keras.layers.Dense(3)], name="generator")
discriminator = tf.keras.Sequential([tf.keras.Input((3,)), tf.keras.layers.Dense(1)], name="discriminator")
generator_optimizer = tf.keras.optimizers.Adam(0.01)
discriminator_optimizer = tf.keras.optimizers.Adam(0.01)


def train_step(real):
    noise = tf.random.normal((4, 2))
    with tf.GradientTape() as gen_tape, tf.GradientTape() as disc_tape:
        fake = discriminator(generator(noise))
        gen_loss = tf.reduce_mean(tf.nn.softplus(-fake))
        disc_loss = tf.reduce_mean(tf.nn.softplus(-discriminator(real))) + tf.reduce_mean(
            tf.nn.softplus(fake)
        )
    gen_gradients = gen_tape.gradient(gen_loss, generator.trainable_variables)
    disc_gradients = disc_tape.gradient(disc_loss, discriminator.trainable_variables)
    generator_optimizer.apply_gradients(zip(gen_gradients, generator.trainable_variables, strict=True))
    discriminator_optimizer.apply_gradients(
        zip(disc_gradients, discriminator.trainable_variables, strict=True)
    )
    return gen_loss, disc_loss


for batch in range(3):
    print(batch, *(float(loss).hex() for loss in train_step(tf.fill((4, 3), 0.5 + batch))))
