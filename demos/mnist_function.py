"""The MNIST loop of mnist_eager.py with its train step traced: `@tf.function`, nothing untraceable in it."""

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
mean_loss = tf.keras.metrics.Mean()


@tf.function
def train_step(images, labels):
    with tf.GradientTape() as tape:
        logits = model(images, training=True)
        tf.debugging.assert_equal(tf.shape(logits), (32, 10))
        loss_value = loss_object(labels, logits)

    mean_loss(loss_value)
    gradients = tape.gradient(loss_value, model.trainable_variables)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))


def train(epochs):
    for epoch in range(epochs):
        mean_loss.reset_state()
        for images, labels in dataset:
            train_step(images, labels)
        print(f"Epoch {epoch + 1}: mean loss {float(mean_loss.result()):.4f}")


train(epochs=options.epochs)
