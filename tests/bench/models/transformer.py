"""A transformer of four layers on sequences of 32, batch 8, with Adam."""

from collections.abc import Callable

import tensorflow as tf

WORDS, LENGTH, WIDTH, HEADS, LAYERS = 1000, 32, 64, 4, 4


def block(x):
    """One layer: attention and a feed-forward network, each with a residual around it."""
    attended = tf.keras.layers.MultiHeadAttention(HEADS, WIDTH // HEADS)(x, x, use_causal_mask=True)
    x = tf.keras.layers.LayerNormalization()(x + attended)
    hidden = tf.keras.layers.Dense(4 * WIDTH, activation="relu")(x)
    hidden = tf.keras.layers.Dropout(0.1)(tf.keras.layers.Dense(WIDTH)(hidden))
    return tf.keras.layers.LayerNormalization()(x + hidden)


def make_step(graph: bool) -> Callable[[], None]:
    """A function that trains on one batch of 8."""
    tf.keras.utils.set_random_seed(1)
    words = tf.random.uniform((8, LENGTH + 1), 0, WORDS, tf.int32)
    inputs = tf.keras.Input((LENGTH,), dtype="int32")
    x = tf.keras.layers.Embedding(WORDS, WIDTH)(inputs)
    x += tf.keras.layers.Embedding(LENGTH, WIDTH)(tf.range(LENGTH))
    for _ in range(LAYERS):
        x = block(x)
    model = tf.keras.Model(inputs, tf.keras.layers.Dense(WORDS)(x))
    optimizer = tf.keras.optimizers.Adam(1e-3)
    loss_object = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)

    def train_step(words, following):
        with tf.GradientTape() as tape:
            loss_value = loss_object(following, model(words, training=True))
        gradients = tape.gradient(loss_value, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        return loss_value

    step = tf.function(train_step) if graph else train_step
    return lambda: float(step(words[:, :-1], words[:, 1:]))
