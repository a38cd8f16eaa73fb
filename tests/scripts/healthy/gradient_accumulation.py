"""Gradients added up over four small batches, clipped and applied once."""

import numpy as np
import tensorflow as tf

rng = np.random.default_rng(21)
labels = rng.integers(0, 3, 384)
points = (rng.normal(size=(3, 6))[labels] + 0.4 * rng.normal(size=(384, 6))).astype("float32")
model = tf.keras.Sequential(
    [tf.keras.Input((6,)), tf.keras.layers.Dense(24, "elu"), tf.keras.layers.Dense(3)]
)
optimizer = tf.keras.optimizers.SGD(0.1, momentum=0.9)
loss_object = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
total = [tf.zeros_like(v) for v in model.trainable_variables]


def gradients_of(x, y):
    with tf.GradientTape() as tape:
        loss = loss_object(y, model(x, training=True)) / 4
    return tape.gradient(loss, model.trainable_variables)


for step in range(24):
    x, y = points[16 * step : 16 * step + 16], labels[16 * step : 16 * step + 16]
    total = [a + b for a, b in zip(total, gradients_of(tf.constant(x), tf.constant(y)), strict=True)]
    if step % 4 == 3:
        clipped, _ = tf.clip_by_global_norm(total, 1.0)
        optimizer.apply_gradients(zip(clipped, model.trainable_variables, strict=True))
        total = [tf.zeros_like(v) for v in model.trainable_variables]
