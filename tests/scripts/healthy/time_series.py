"""Forecasting a series with an LSTM, windows of normalized values, as in the time series tutorial."""

import numpy as np
import tensorflow as tf

t = np.arange(300)
series = 20 + 10 * np.sin(t / 12) + np.random.default_rng(13).normal(size=300)
series = ((series - series.mean()) / series.std()).astype("float32")
windows = np.stack([series[i : i + 11] for i in range(288)])
inputs, targets = windows[:, :10, None], windows[:, 10:]
model = tf.keras.Sequential([tf.keras.layers.LSTM(16), tf.keras.layers.Dense(1)])
model.compile(loss=tf.keras.losses.MeanSquaredError(), optimizer=tf.keras.optimizers.Adam())
model.fit(inputs, targets, epochs=1, batch_size=32, verbose=0)
