"""A small convolutional classifier with dropout, as in the quickstart for experts."""

import numpy as np
import tensorflow as tf

rng = np.random.default_rng(1)
labels = rng.integers(0, 4, 256)
images = rng.random((256, 12, 12, 1)).astype("float32") * 0.3
for image, label in zip(images, labels, strict=True):
    image[3 * label : 3 * label + 3, :, 0] += 0.6
data = tf.data.Dataset.from_tensor_slices((images, labels)).shuffle(256, seed=1).batch(32)


class Model(tf.keras.Model):
    def __init__(self):
        super().__init__()
        self.conv = tf.keras.layers.Conv2D(16, 3, activation="relu")
        self.flatten = tf.keras.layers.Flatten()
        self.hidden = tf.keras.layers.Dense(64, activation="relu")
        self.dropout = tf.keras.layers.Dropout(0.3)
        self.out = tf.keras.layers.Dense(4)

    def call(self, x, training=False):
        x = self.hidden(self.flatten(self.conv(x)))
        return self.out(self.dropout(x, training=training))


model = Model()
loss_object = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
optimizer = tf.keras.optimizers.Adam()


@tf.function
def train_step(images, labels):
    with tf.GradientTape() as tape:
        predictions = model(images, training=True)
        loss = loss_object(labels, predictions)
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
    return loss


for epoch in range(2):
    for x, y in data:
        loss = train_step(x, y)
    print(epoch, float(loss), float(tf.reduce_mean(loss_object(labels, model(images, training=False)))))
