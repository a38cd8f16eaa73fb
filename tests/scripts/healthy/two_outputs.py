"""A model with two inputs, two outputs and a weighted sum of losses, as in the guide to the functional API."""

import numpy as np
import tensorflow as tf

rng = np.random.default_rng(19)
titles, tags = rng.integers(0, 50, (128, 6)), rng.integers(0, 2, (128, 5)).astype("float32")
priority = (titles.mean(axis=1) / 50).astype("float32")[:, None]
department = rng.integers(0, 3, 128)
title_in, tags_in = tf.keras.Input((6,), name="title"), tf.keras.Input((5,), name="tags")
x = tf.keras.layers.Embedding(50, 8)(title_in)
x = tf.keras.layers.Concatenate()([tf.keras.layers.LSTM(8)(x), tags_in])
outputs = [tf.keras.layers.Dense(1, activation="sigmoid", name="priority")(x),
           tf.keras.layers.Dense(3, name="department")(x)]  # fmt: skip
model = tf.keras.Model([title_in, tags_in], outputs)
model.compile(
    optimizer=tf.keras.optimizers.RMSprop(1e-3),
    loss={"priority": tf.keras.losses.BinaryCrossentropy(),
          "department": tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)},
    loss_weights={"priority": 1.0, "department": 0.2},
)  # fmt: skip
model.fit({"title": titles, "tags": tags}, {"priority": priority, "department": department}, batch_size=32, epochs=1,
          verbose=0)  # fmt: skip
