"""A sequence-to-sequence model with additive attention and teacher forcing."""

import numpy as np
import tensorflow as tf

rng = np.random.default_rng(15)
source = rng.integers(1, 12, (64, 4))
target = np.concatenate([np.full((64, 1), 12), source[:, ::-1]], axis=1)


class Seq2Seq(tf.keras.Model):
    def __init__(self):
        super().__init__()
        self.embed = tf.keras.layers.Embedding(13, 16)
        self.encoder = tf.keras.layers.GRU(24, return_sequences=True, return_state=True)
        self.cell = tf.keras.layers.GRUCell(24)
        self.w1, self.w2, self.v = (
            tf.keras.layers.Dense(16),
            tf.keras.layers.Dense(16),
            tf.keras.layers.Dense(1),
        )
        self.out = tf.keras.layers.Dense(13)

    def call(self, inputs):
        source, target = inputs
        memory, state = self.encoder(self.embed(source))
        logits = []
        for i in range(target.shape[1] - 1):
            score = self.v(tf.nn.tanh(self.w1(memory) + self.w2(state[:, None])))
            context = tf.reduce_sum(tf.nn.softmax(score, axis=1) * memory, axis=1)
            output, _ = self.cell(tf.concat([self.embed(target[:, i]), context], axis=-1), [state])
            state = output
            logits.append(self.out(output))
        return tf.stack(logits, axis=1)


model, optimizer = Seq2Seq(), tf.keras.optimizers.Adam(1e-2)
loss_object = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def train_step(source, target):
    with tf.GradientTape() as tape:
        loss = loss_object(target[:, 1:], model((source, target)))
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))


for _epoch in range(2):
    for i in range(0, 64, 32):
        train_step(tf.constant(source[i : i + 32]), tf.constant(target[i : i + 32]))
