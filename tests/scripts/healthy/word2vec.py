"""Word2vec with negative sampling, as in TensorFlow's tutorial: a model in fit, logits and one-hot labels."""

import numpy as np
import tensorflow as tf
from tensorflow.keras import layers

VOCAB, NEGATIVE = 50, 4
rng = np.random.default_rng(48)
text = np.concatenate([rng.choice(np.arange(k * 5, k * 5 + 5), 8) for k in rng.integers(0, 10, 60)])
targets, contexts = [], []
for position in range(2, len(text) - 2):
    for offset in (-2, -1, 1, 2):
        targets.append(text[position])
        contexts.append([text[position + offset], *rng.integers(1, VOCAB, NEGATIVE)])
labels = np.zeros((len(targets), NEGATIVE + 1), "int64")
labels[:, 0] = 1
dataset = tf.data.Dataset.from_tensor_slices(((np.array(targets)[:, None], np.array(contexts)), labels))
dataset = dataset.shuffle(2000, seed=3).batch(128, drop_remainder=True)


class Word2Vec(tf.keras.Model):
    def __init__(self, vocab_size, embedding_dim):
        super().__init__()
        self.target_embedding = layers.Embedding(vocab_size, embedding_dim, name="w2v_embedding")
        self.context_embedding = layers.Embedding(vocab_size, embedding_dim)

    def call(self, pair):
        target, context = pair
        if len(target.shape) == 2:
            target = tf.squeeze(target, axis=1)
        word_emb = self.target_embedding(target)
        context_emb = self.context_embedding(context)
        return tf.einsum("be,bce->bc", word_emb, context_emb)


word2vec = Word2Vec(VOCAB, 16)
word2vec.compile(
    optimizer="adam", loss=tf.keras.losses.CategoricalCrossentropy(from_logits=True), metrics=["accuracy"]
)
word2vec.fit(dataset, epochs=3, verbose=0)
