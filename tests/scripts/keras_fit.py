"""Keras' own loop: `model.fit` with the train step built into Keras."""

import numpy as np
import tensorflow as tf

tf.keras.utils.set_random_seed(5)
x = np.linspace(-1, 1, 48, dtype=np.float32).reshape(16, 3)
y = (x.sum(axis=1, keepdims=True) > 0).astype(np.float32)

model = tf.keras.Sequential(
    [tf.keras.Input((3,)), tf.keras.layers.Dense(4, "tanh"), tf.keras.layers.Dense(1)]
)
model.compile(
    tf.keras.optimizers.SGD(0.1), tf.keras.losses.BinaryCrossentropy(from_logits=True), metrics=["mae"]
)
history = model.fit(x, y, batch_size=4, epochs=2, shuffle=False, verbose=0)
for name, values in history.history.items():
    print(name, [float(value).hex() for value in values])
