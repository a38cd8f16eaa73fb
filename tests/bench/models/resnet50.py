"""ResNet50 on images of 64×64, batch 8, with Adam: the step with the most ops."""

from collections.abc import Callable

import tensorflow as tf


def make_step(graph: bool) -> Callable[[], None]:
    """A function that trains on one batch of 8."""
    tf.keras.utils.set_random_seed(1)
    images = tf.random.normal((8, 64, 64, 3))
    labels = tf.range(8)
    model = tf.keras.applications.ResNet50(
        weights=None, input_shape=(64, 64, 3), classes=10, classifier_activation=None
    )
    optimizer = tf.keras.optimizers.Adam()
    loss_object = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)

    def train_step(images, labels):
        with tf.GradientTape() as tape:
            loss_value = loss_object(labels, model(images, training=True))
        gradients = tape.gradient(loss_value, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        return loss_value

    step = tf.function(train_step) if graph else train_step
    return lambda: float(step(images, labels))
