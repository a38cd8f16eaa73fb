"""A character model with a GRU, as in the text generation tutorial."""

import numpy as np
import tensorflow as tf

text = "the quick brown fox jumps over the lazy dog and runs away. " * 16
letters = sorted(set(text))
ids = np.array([letters.index(c) for c in text])
data = tf.data.Dataset.from_tensor_slices(ids).batch(11, drop_remainder=True)
data = data.map(lambda s: (s[:-1], s[1:])).batch(16, drop_remainder=True)


class Model(tf.keras.Model):
    def __init__(self):
        super().__init__()
        self.embedding = tf.keras.layers.Embedding(len(letters), 16)
        self.gru = tf.keras.layers.GRU(32, return_sequences=True)
        self.dense = tf.keras.layers.Dense(len(letters))

    def call(self, inputs, training=False):
        return self.dense(self.gru(self.embedding(inputs), training=training))


model = Model()
loss_object = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
optimizer = tf.keras.optimizers.Adam(1e-2)
for _ in range(1):
    for inputs, targets in data:
        with tf.GradientTape() as tape:
            loss = loss_object(targets, model(inputs, training=True))
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
print(float(loss))
