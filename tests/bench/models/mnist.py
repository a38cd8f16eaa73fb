"""The step of demos/mnist_eager.py, on random images."""

from collections.abc import Callable

import numpy as np
import tensorflow as tf


def make_step(graph: bool) -> Callable[[], None]:
    """A function that trains on one batch of 32."""
    random = np.random.default_rng(1)
    images = random.random((320, 28, 28, 1), np.float32)
    labels = random.integers(0, 10, 320)
    dataset = tf.data.Dataset.from_tensor_slices((images, labels)).shuffle(320, seed=1).batch(32).repeat()
    batches = iter(dataset)
    model = tf.keras.Sequential(
        [
            tf.keras.Input((28, 28, 1)),
            tf.keras.layers.Conv2D(16, [3, 3], activation="relu"),
            tf.keras.layers.Conv2D(16, [3, 3], activation="relu"),
            tf.keras.layers.GlobalAveragePooling2D(),
            tf.keras.layers.Dense(10),
        ]
    )
    optimizer = tf.keras.optimizers.Adam()
    loss_object = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    loss_history = []

    def train_step(images, labels):
        with tf.GradientTape() as tape:
            logits = model(images, training=True)
            tf.debugging.assert_equal(tf.shape(logits) if graph else logits.shape, (32, 10))
            loss_value = loss_object(labels, logits)
        gradients = tape.gradient(loss_value, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        return loss_value

    step = tf.function(train_step) if graph else train_step
    return lambda: loss_history.append(step(*next(batches)).numpy().mean())
