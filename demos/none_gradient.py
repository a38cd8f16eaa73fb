"""Variables that get no gradient: one read through `.numpy()`, and layers behind an `argmax`.

An autoencoder whose code is a digit: the encoder picks one of ten codes, the decoder paints the image back.
The pick is an `argmax`, which no gradient passes, so the encoder never learns; nor does the brightness, which
leaves TensorFlow on its way into the image.
"""

import argparse

import digits
import tensorflow as tf

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("--epochs", type=int, default=3)
parser.add_argument("--batches", type=int, default=-1, help="batches in an epoch (default: all)")
options = parser.parse_args()

tf.keras.utils.set_random_seed(1)

images, labels = digits.load()
dataset = tf.data.Dataset.from_tensor_slices(images)
dataset = dataset.shuffle(1000, seed=1).batch(32, drop_remainder=True).take(options.batches)

flatten = tf.keras.layers.Flatten()
encoder = tf.keras.layers.Dense(10, name="encoder")
decoder = tf.keras.layers.Dense(28 * 28, name="decoder")
brightness = tf.keras.Variable(0.9, name="brightness")
encoder.build((None, 28 * 28))
decoder.build((None, 10))
variables = [*encoder.trainable_variables, *decoder.trainable_variables, brightness]
optimizer = tf.keras.optimizers.Adam(0.01)
without_gradient = set()


def train_step(images):
    with tf.GradientTape() as tape:
        pixels = flatten(images)
        code = tf.argmax(encoder(pixels), axis=1)
        painted = tf.sigmoid(decoder(tf.one_hot(code, 10))) * brightness.numpy()
        loss_value = tf.reduce_mean(tf.square(painted - pixels))

    gradients = tape.gradient(loss_value, variables)
    pairs = list(zip(gradients, variables, strict=True))
    without_gradient.update(variable.path for gradient, variable in pairs if gradient is None)
    optimizer.apply_gradients([(gradient, variable) for gradient, variable in pairs if gradient is not None])
    return float(loss_value)


def train(epochs):
    for epoch in range(epochs):
        losses = [train_step(images) for images in dataset]
        print(f"Epoch {epoch + 1}: {len(losses)} batches, mean loss {sum(losses) / len(losses):.4f}")


train(epochs=options.epochs)
print("No gradient:", ", ".join(sorted(without_gradient)))
