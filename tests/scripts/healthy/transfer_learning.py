"""A frozen base with batch normalization, then fine-tuning with the base in inference mode, as in Keras' guide."""

import numpy as np
import tensorflow as tf

rng = np.random.default_rng(18)
labels = rng.integers(0, 4, 128)
images = (rng.normal(size=(128, 8, 8, 3)) * 0.5 + labels[:, None, None, None] * 0.4 - 0.6).astype("float32")
base = tf.keras.Sequential([
    tf.keras.Input((8, 8, 3)), tf.keras.layers.Conv2D(8, 3, use_bias=False), tf.keras.layers.BatchNormalization(),
    tf.keras.layers.ReLU(), tf.keras.layers.GlobalAveragePooling2D(),
])  # fmt: skip
head = tf.keras.Sequential([base, tf.keras.layers.Dense(4)])
loss_object = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
head.compile("adam", loss_object)
head.fit(images, labels % 2, epochs=2, verbose=0)  # stands for the training that the base comes from

base.trainable = False
inputs = tf.keras.Input((8, 8, 3))
model = tf.keras.Model(inputs, tf.keras.layers.Dense(4)(base(inputs, training=False)))


def train_step(x, y, optimizer):
    with tf.GradientTape() as tape:
        loss = loss_object(y, model(x, training=True))
    gradients = tape.gradient(loss, model.trainable_weights)
    optimizer.apply_gradients(zip(gradients, model.trainable_weights, strict=True))


for rate in (1e-2, 1e-4):
    optimizer = tf.keras.optimizers.Adam(rate)
    for i in range(0, 128, 32):
        train_step(tf.constant(images[i : i + 32]), tf.constant(labels[i : i + 32]), optimizer)
    base.trainable = True
