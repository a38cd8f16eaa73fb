"""Optimizing an image against the features of a fixed network, as in the style transfer tutorial."""

import numpy as np
import tensorflow as tf

rng = np.random.default_rng(23)
extractor = tf.keras.Sequential([
    tf.keras.Input((16, 16, 3)), tf.keras.layers.Conv2D(8, 3, activation="relu"),
    tf.keras.layers.Conv2D(8, 3, strides=2, activation="relu"),
])  # fmt: skip
extractor.trainable = False
content = tf.constant(rng.random((1, 16, 16, 3)).astype("float32"))
style = tf.constant(rng.random((1, 16, 16, 3)).astype("float32"))


def gram(features):
    return tf.einsum("bijc,bijd->bcd", features, features) / 36.0


content_goal, style_goal = extractor(content), gram(extractor(style))
image = tf.Variable(content)
optimizer = tf.keras.optimizers.Adam(0.02)


def train_step(image):
    with tf.GradientTape() as tape:
        features = extractor(image)
        loss = 0.1 * tf.reduce_mean((features - content_goal) ** 2) + tf.reduce_mean(
            (gram(features) - style_goal) ** 2
        )
    optimizer.apply_gradients([(tape.gradient(loss, image), image)])
    image.assign(tf.clip_by_value(image, 0.0, 1.0))


for _ in range(15):
    train_step(image)
