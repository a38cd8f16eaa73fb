"""The classic line of the tutorial, in a loop within a function."""
# EXPECT fails_to_trace on batch 1

import tensorflow as tf


def train(model, dataset):
    """All of it."""
    optimizer = tf.keras.optimizers.SGD(0.1)
    loss_history = []
    for epoch in range(2):
        for images, labels in dataset:
            with tf.GradientTape() as tape:
                loss_value = tf.reduce_mean(tf.square(model(images) - labels))
            loss_history.append(loss_value.numpy().mean())  # RULE eager-only-numpy
            grads = tape.gradient(loss_value, model.trainable_variables)
            optimizer.apply_gradients(zip(grads, model.trainable_variables, strict=True))
        print("epoch", epoch, float(loss_history[-1]).hex())


tf.keras.utils.set_random_seed(4)
train(
    tf.keras.Sequential([tf.keras.Input((2,)), tf.keras.layers.Dense(1)]),
    tf.data.Dataset.from_tensor_slices((tf.ones((6, 2)), tf.ones((6, 1)))).batch(2),
)
