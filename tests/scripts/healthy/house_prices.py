"""Regression on tabular data with a Normalization layer and Keras' fit, as in the basic regression tutorial."""

import numpy as np
import tensorflow as tf

rng = np.random.default_rng(2)
features = np.stack([rng.uniform(50, 230, 400), rng.uniform(1500, 5000, 400), rng.uniform(8, 25, 400)], 1)
targets = 50 - 0.006 * features[:, 1] - 0.03 * features[:, 0] + rng.normal(size=400)

normalizer = tf.keras.layers.Normalization(axis=-1)
normalizer.adapt(features.astype("float32"))
model = tf.keras.Sequential(
    [
        normalizer,
        tf.keras.layers.Dense(64, activation="relu"),
        tf.keras.layers.Dense(64, activation="relu"),
        tf.keras.layers.Dense(1),
    ]
)
model.compile(optimizer=tf.keras.optimizers.Adam(0.001), loss="mean_absolute_error")
model.fit(features.astype("float32"), targets.astype("float32"), epochs=1, verbose=0)
