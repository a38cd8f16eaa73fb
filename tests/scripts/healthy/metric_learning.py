"""Metric learning with similarities of all pairs in a batch, as in Keras' examples."""

import numpy as np
import tensorflow as tf

rng = np.random.default_rng(17)
centres = rng.normal(size=(8, 12))


class EmbeddingModel(tf.keras.Model):
    def train_step(self, data):
        anchors, positives = data[:, 0], data[:, 1]
        with tf.GradientTape() as tape:
            a, p = self(anchors, training=True), self(positives, training=True)
            similarities = tf.einsum("ae,pe->ap", a, p) / 0.2
            labels = tf.range(tf.shape(similarities)[0])
            loss = self.compute_loss(y=labels, y_pred=similarities)
        gradients = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply(gradients, self.trainable_variables)
        return {"loss": loss}


inputs = tf.keras.Input((12,))
x = tf.keras.layers.Dense(32, activation="relu")(inputs)
x = tf.keras.layers.UnitNormalization()(tf.keras.layers.Dense(8)(x))
model = EmbeddingModel(inputs, x)
model.compile(optimizer=tf.keras.optimizers.Adam(1e-3),
              loss=tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True))  # fmt: skip
pairs = centres[np.tile(np.arange(8), 30)][:, None] + 0.3 * rng.normal(size=(240, 2, 12))
model.fit(pairs.astype("float32"), batch_size=8, epochs=1, shuffle=False, verbose=0)
