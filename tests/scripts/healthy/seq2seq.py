"""An LSTM encoder and decoder with teacher forcing and a masked loss: it learns to turn sequences round."""

import numpy as np
import tensorflow as tf

VOCABULARY, START = 12, 1
rng = np.random.default_rng(43)


class Encoder(tf.keras.Model):
    def __init__(self, units):
        super().__init__()
        self.embedding = tf.keras.layers.Embedding(VOCABULARY, 16, mask_zero=True)
        self.lstm = tf.keras.layers.LSTM(units, return_state=True)

    def call(self, tokens):
        _, h, c = self.lstm(self.embedding(tokens))
        return [h, c]


class Decoder(tf.keras.Model):
    def __init__(self, units):
        super().__init__()
        self.embedding = tf.keras.layers.Embedding(VOCABULARY, 16)
        self.cell = tf.keras.layers.LSTMCell(units)
        self.dense = tf.keras.layers.Dense(VOCABULARY)

    def call(self, token, state):
        out, state = self.cell(self.embedding(token), state)
        return self.dense(out), state


encoder, decoder = Encoder(32), Decoder(32)
optimizer = tf.keras.optimizers.Adam(5e-3)
loss_object = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True, reduction="none")


def loss_function(real, predicted):
    mask = tf.cast(tf.math.not_equal(real, 0), tf.float32)
    return tf.reduce_sum(loss_object(real, predicted) * mask) / tf.maximum(tf.reduce_sum(mask), 1.0)


def train_step(source, target):
    loss = 0.0
    with tf.GradientTape() as tape:
        state = encoder(source)
        token = tf.fill([source.shape[0]], START)
        for t in range(target.shape[1]):
            logits, state = decoder(token, state)
            loss += loss_function(target[:, t], logits)
            token = target[:, t]  # teacher forcing
    variables = encoder.trainable_variables + decoder.trainable_variables
    gradients = tape.gradient(loss, variables)
    gradients, _ = tf.clip_by_global_norm(gradients, 5.0)
    optimizer.apply_gradients(zip(gradients, variables, strict=True))
    return loss / int(target.shape[1])


for _ in range(8):
    lengths = rng.integers(3, 7, 16)
    source = np.zeros((16, 6), "int32")
    target = np.zeros((16, 6), "int32")
    for row, length in enumerate(lengths):
        words = rng.integers(2, VOCABULARY, length)
        source[row, :length], target[row, :length] = words, words[::-1]
    train_step(tf.constant(source), tf.constant(target))
