"""Density estimation by a normalizing flow: Keras' example of Real NVP, with a train_step of its own in fit."""

import numpy as np
import tensorflow as tf
from tensorflow import keras

rng = np.random.default_rng(42)
angle = np.pi * rng.random(640)
upper = rng.random(640) < 0.5
points = np.stack(
    [np.where(upper, np.cos(angle), 1 - np.cos(angle)), np.where(upper, np.sin(angle), 0.5 - np.sin(angle))],
    1,
)
points = (points + 0.05 * rng.normal(size=points.shape)).astype("float32")
normalization = keras.layers.Normalization()
normalization.adapt(points)
points = normalization(points).numpy()


def coupling():
    inputs = keras.Input((2,))
    regularizer = keras.regularizers.l2(0.01)
    t = s = inputs
    for _ in range(3):
        t = keras.layers.Dense(32, activation="relu", kernel_regularizer=regularizer)(t)
        s = keras.layers.Dense(32, activation="relu", kernel_regularizer=regularizer)(s)
    t = keras.layers.Dense(2, activation="linear", kernel_regularizer=regularizer)(t)
    s = keras.layers.Dense(2, activation="tanh", kernel_regularizer=regularizer)(s)
    return keras.Model(inputs, [s, t])


class RealNVP(keras.Model):
    def __init__(self, layers):
        super().__init__()
        self.count = layers
        self.masks = np.array([[0, 1], [1, 0]] * (layers // 2), dtype="float32")
        self.loss_tracker = keras.metrics.Mean(name="loss")
        self.couplings = [coupling() for _ in range(layers)]

    @property
    def metrics(self):
        return [self.loss_tracker]

    def call(self, x, training=True):
        log_det = 0.0
        direction = -1 if training else 1
        for i in range(self.count)[::direction]:
            masked = x * self.masks[i]
            reversed_mask = 1 - self.masks[i]
            s, t = self.couplings[i](masked)
            s *= reversed_mask
            t *= reversed_mask
            gate = (direction - 1) / 2
            x = reversed_mask * (x * tf.exp(direction * s) + direction * t * tf.exp(gate * s)) + masked
            log_det += gate * tf.reduce_sum(s, axis=1)
        return x, log_det

    def log_loss(self, data):
        y, log_det = self(data)
        prior = -0.5 * tf.reduce_sum(y**2, axis=1) - np.log(2 * np.pi)
        return -tf.reduce_mean(prior + log_det)

    def train_step(self, data):
        with tf.GradientTape() as tape:
            loss = self.log_loss(data)
        gradients = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply_gradients(zip(gradients, self.trainable_variables, strict=True))
        self.loss_tracker.update_state(loss)
        return {"loss": self.loss_tracker.result()}


model = RealNVP(4)
model.compile(optimizer=keras.optimizers.Adam(1e-4))
model.fit(points, batch_size=64, epochs=1, verbose=0)
