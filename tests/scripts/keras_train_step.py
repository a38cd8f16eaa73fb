"""Keras' own loop around an overridden `train_step`, with a callback that sees every batch."""

import numpy as np
import tensorflow as tf

tf.keras.utils.set_random_seed(5)
x = np.linspace(-1, 1, 48, dtype=np.float32).reshape(16, 3)
y = (x.sum(axis=1, keepdims=True) > 0).astype(np.float32)


class Model(tf.keras.Model):
    def __init__(self):
        super().__init__()
        self.hidden = tf.keras.layers.Dense(4, "tanh")
        self.out = tf.keras.layers.Dense(1)

    def call(self, x):
        return self.out(self.hidden(x))

    def train_step(self, data):
        x, y = data
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(self(x, training=True) - y))
        gradients = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply_gradients(zip(gradients, self.trainable_variables, strict=True))
        return {"loss": loss}


class Printer(tf.keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        print("batch", batch, float(logs["loss"]).hex())


model = Model()
model.compile(optimizer=tf.keras.optimizers.Adam(0.05))
model.fit(x, y, batch_size=4, epochs=1, shuffle=False, verbose=0, callbacks=[Printer()])
