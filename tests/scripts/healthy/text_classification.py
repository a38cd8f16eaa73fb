"""Sentiment with an embedding, as in the text classification tutorial: sparse gradients, one logit."""

import numpy as np
import tensorflow as tf

rng = np.random.default_rng(12)
tokens = rng.integers(1, 200, (256, 12))
tokens[:, 8:][rng.random((256, 4)) < 0.5] = 0
labels = (np.where(tokens > 100, 1, -1).sum(axis=1) > 0).astype("float32")
model = tf.keras.Sequential(
    [
        tf.keras.layers.Embedding(200, 16),
        tf.keras.layers.Dropout(0.2),
        tf.keras.layers.GlobalAveragePooling1D(),
        tf.keras.layers.Dropout(0.2),
        tf.keras.layers.Dense(1, activation="sigmoid"),
    ]
)
model.compile(loss=tf.keras.losses.BinaryCrossentropy(), optimizer="adam", metrics=["accuracy"])
model.fit(tokens, labels, epochs=1, batch_size=32, verbose=0)
