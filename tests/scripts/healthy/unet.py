"""A U-Net that marks shapes in images, trained by a loop of its own with a Dice term, as in the segmentation guides."""

import numpy as np
import tensorflow as tf

rng = np.random.default_rng(41)


def batches(count, size=16):
    for _ in range(count):
        images = 0.2 * rng.normal(size=(8, size, size, 1)).astype("float32")
        masks = np.zeros((8, size, size, 1), "float32")
        for image, mask in zip(images, masks, strict=True):
            top, left = rng.integers(0, size - 6, 2)
            mask[top : top + 6, left : left + 6] = 1.0
            image += mask
        yield tf.constant(images), tf.constant(masks)


def double_conv(x, filters):
    for _ in range(2):
        x = tf.keras.layers.Conv2D(filters, 3, padding="same", kernel_initializer="he_normal")(x)
        x = tf.keras.layers.BatchNormalization()(x)
        x = tf.keras.layers.Activation("relu")(x)
    return x


def build_unet():
    inputs = tf.keras.Input((16, 16, 1))
    x, skips = inputs, []
    for filters in (8, 16):
        x = double_conv(x, filters)
        skips.append(x)
        x = tf.keras.layers.MaxPooling2D()(x)
        x = tf.keras.layers.Dropout(0.1)(x)
    x = double_conv(x, 32)
    for filters, skip in zip((16, 8), reversed(skips), strict=True):
        x = tf.keras.layers.Conv2DTranspose(filters, 3, 2, padding="same")(x)
        x = tf.keras.layers.concatenate([x, skip])
        x = double_conv(x, filters)
    return tf.keras.Model(inputs, tf.keras.layers.Conv2D(1, 1, activation="sigmoid")(x))


def dice_loss(masks, predicted, smooth=1.0):
    overlap = tf.reduce_sum(masks * predicted, axis=(1, 2, 3))
    total = tf.reduce_sum(masks, axis=(1, 2, 3)) + tf.reduce_sum(predicted, axis=(1, 2, 3))
    return 1.0 - tf.reduce_mean((2.0 * overlap + smooth) / (total + smooth))


model = build_unet()
optimizer = tf.keras.optimizers.Adam(1e-3)
bce = tf.keras.losses.BinaryCrossentropy()


@tf.function
def train_step(images, masks):
    with tf.GradientTape() as tape:
        predicted = model(images, training=True)
        loss = bce(masks, predicted) + dice_loss(masks, predicted)
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
    return loss


for images, masks in batches(10):
    train_step(images, masks)
