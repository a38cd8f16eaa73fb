"""A transformer block with causal attention and a masked loss, as in the translation tutorial."""

import numpy as np
import tensorflow as tf

rng = np.random.default_rng(14)
start = rng.integers(1, 20, (128, 1))
tokens = (start + np.arange(11)) % 20 + 1
tokens[rng.random(128) < 0.3, 8:] = 0
inputs, targets = tokens[:, :-1], tokens[:, 1:]


class Block(tf.keras.layers.Layer):
    def __init__(self, width):
        super().__init__()
        self.attention = tf.keras.layers.MultiHeadAttention(2, width // 2, dropout=0.1)
        self.feed = tf.keras.Sequential(
            [tf.keras.layers.Dense(2 * width, "relu"), tf.keras.layers.Dense(width)]
        )
        self.norm1, self.norm2 = tf.keras.layers.LayerNormalization(), tf.keras.layers.LayerNormalization()

    def call(self, x, training=None):
        x = self.norm1(x + self.attention(x, x, use_causal_mask=True, training=training))
        return self.norm2(x + self.feed(x))


class Model(tf.keras.Model):
    def __init__(self):
        super().__init__()
        self.embedding = tf.keras.layers.Embedding(22, 16)
        self.positions = tf.keras.layers.Embedding(10, 16)
        self.blocks = [Block(16), Block(16)]
        self.out = tf.keras.layers.Dense(22)

    def call(self, tokens, training=None):
        x = self.embedding(tokens) + self.positions(tf.range(10))
        for block in self.blocks:
            x = block(x, training=training)
        return self.out(x)


def masked_loss(labels, logits):
    mask = tf.cast(labels != 0, logits.dtype)
    loss = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)
    return tf.reduce_sum(loss * mask) / tf.reduce_sum(mask)


model, optimizer = Model(), tf.keras.optimizers.Adam(3e-3, beta_2=0.98, epsilon=1e-9)
for _epoch in range(2):
    for i in range(0, 128, 32):
        with tf.GradientTape() as tape:
            loss = masked_loss(targets[i : i + 32], model(inputs[i : i + 32], training=True))
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
