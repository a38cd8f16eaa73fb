"""A loss that turns NaN: cross entropy written as log(softmax(x)), which fails once the network is sure."""

import argparse

import digits
import tensorflow as tf

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--epochs", type=int, default=1)
parser.add_argument("--batches", type=int, default=40, help="batches in an epoch (-1: all)")
options = parser.parse_args()

tf.keras.utils.set_random_seed(1)

images, labels = digits.load()
dataset = tf.data.Dataset.from_tensor_slices((images, tf.one_hot(labels, 10)))
dataset = dataset.shuffle(1000, seed=1).batch(32, drop_remainder=True).take(options.batches)

model = tf.keras.Sequential(
    [
        tf.keras.Input((28, 28, 1)),
        tf.keras.layers.Flatten(),
        tf.keras.layers.Dense(64, activation="relu"),
        tf.keras.layers.Dense(10),
    ]
)
warm_up = tf.keras.optimizers.schedules.PolynomialDecay(0.01, 40, end_learning_rate=2.0)
optimizer = tf.keras.optimizers.SGD(warm_up, momentum=0.9)
loss_history = []


def cross_entropy(one_hot, logits):
    probabilities = tf.nn.softmax(logits)
    # Softmax of a logit far below the largest is exactly 0: log gives -inf, and 0 * -inf is NaN.
    return -tf.reduce_mean(tf.reduce_sum(one_hot * tf.math.log(probabilities), axis=1))


def train_step(images, one_hot):
    with tf.GradientTape() as tape:
        logits = model(images, training=True)
        loss_value = cross_entropy(one_hot, logits)

    loss_history.append(float(loss_value))
    gradients = tape.gradient(loss_value, model.trainable_variables)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))


def train(epochs):
    for epoch in range(epochs):
        for images, one_hot in dataset:
            train_step(images, one_hot)
        print(f"Epoch {epoch + 1}: last losses", *(f"{loss:.4f}" for loss in loss_history[-3:]))


train(epochs=options.epochs)
bad = [batch for batch, loss in enumerate(loss_history, start=1) if loss != loss]
print(f"The loss is NaN from batch {bad[0]} on." if bad else "The loss stayed finite.")
