"""The classic eager MNIST loop: a small convolutional network, a gradient tape, Adam."""

import argparse

import digits
import tensorflow as tf

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--epochs", type=int, default=3)
parser.add_argument("--batches", type=int, default=-1, help="batches in an epoch (default: all)")
options = parser.parse_args()

tf.keras.utils.set_random_seed(1)

images, labels = digits.load()
images = (images - images.mean()) / images.std()
dataset = tf.data.Dataset.from_tensor_slices((images, labels))
dataset = dataset.shuffle(1000, seed=1).batch(32, drop_remainder=True).take(options.batches)

model = tf.keras.Sequential(
    [
        tf.keras.Input((28, 28, 1)),
        tf.keras.layers.Conv2D(16, [3, 3], activation="relu"),
        tf.keras.layers.Conv2D(16, [3, 3], activation="relu"),
        tf.keras.layers.GlobalAveragePooling2D(),
        tf.keras.layers.Dense(10),
    ]
)
optimizer = tf.keras.optimizers.Adam(0.01)
loss_object = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
loss_history = []


def train_step(images, labels):
    with tf.GradientTape() as tape:
        logits = model(images, training=True)
        tf.debugging.assert_equal(logits.shape, (32, 10))
        loss_value = loss_object(labels, logits)

    loss_history.append(loss_value.numpy().mean())
    gradients = tape.gradient(loss_value, model.trainable_variables)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))


def train(epochs):
    for epoch in range(epochs):
        first = len(loss_history)
        for images, labels in dataset:
            train_step(images, labels)
        losses = loss_history[first:]
        print(f"Epoch {epoch + 1}: {len(losses)} batches, mean loss {sum(losses) / len(losses):.4f}")


train(epochs=options.epochs)
