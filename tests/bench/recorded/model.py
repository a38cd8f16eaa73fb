"""A small transformer that classifies sequences of tokens, written layer by layer."""

import math

import tensorflow as tf


def _weight(name, rows, columns, seed):
    """A matrix with Glorot's initial values."""
    limit = math.sqrt(6.0 / (rows + columns))
    values = tf.random.stateless_uniform([rows, columns], seed=[seed, 0], minval=-limit, maxval=limit)
    return tf.Variable(values, name=name)


class Dense(tf.Module):
    """y = x @ kernel + bias"""

    def __init__(self, rows, columns, name, seed=0):
        super().__init__(name=name)
        self.kernel = _weight("kernel", rows, columns, seed)
        self.bias = tf.Variable(tf.zeros([columns]), name="bias")

    def __call__(self, x):
        projected = tf.linalg.matmul(x, self.kernel)
        return tf.nn.bias_add(projected, self.bias)


class LayerNorm(tf.Module):
    """Zero mean and unit variance over the last axis, then a learned scale and shift."""

    def __init__(self, width, name, epsilon=1e-5):
        super().__init__(name=name)
        self.gamma = tf.Variable(tf.ones([width]), name="gamma")
        self.beta = tf.Variable(tf.zeros([width]), name="beta")
        self.epsilon = epsilon

    def __call__(self, x):
        mean = tf.reduce_mean(x, axis=-1, keepdims=True)
        centred = x - mean
        variance = tf.reduce_mean(tf.square(centred), axis=-1, keepdims=True)
        normalised = centred * tf.math.rsqrt(variance + self.epsilon)
        return normalised * self.gamma + self.beta


class Attention(tf.Module):
    """Multi-head self attention."""

    def __init__(self, width, heads, name):
        super().__init__(name=name)
        self.heads = heads
        self.depth = width // heads
        self.query = Dense(width, width, "query", seed=1)
        self.key = Dense(width, width, "key", seed=2)
        self.value = Dense(width, width, "value", seed=3)
        self.out = Dense(width, width, "out", seed=4)

    def split(self, x):
        shape = tf.shape(x)
        x = tf.reshape(x, [shape[0], shape[1], self.heads, self.depth])
        return tf.transpose(x, [0, 2, 1, 3])

    def merge(self, x):
        shape = tf.shape(x)
        x = tf.transpose(x, [0, 2, 1, 3])
        return tf.reshape(x, [shape[0], shape[2], self.heads * self.depth])

    def __call__(self, x, mask):
        query = self.split(self.query(x))
        key = self.split(self.key(x))
        value = self.split(self.value(x))
        scores = tf.linalg.matmul(query, key, transpose_b=True) / math.sqrt(self.depth)
        scores = scores + (1.0 - mask[:, None, None, :]) * -1e9
        weights = tf.nn.softmax(scores, axis=-1)
        context = tf.linalg.matmul(weights, value)
        return self.out(self.merge(context))


class FeedForward(tf.Module):
    """Two dense layers with a GELU between them."""

    def __init__(self, width, hidden, name):
        super().__init__(name=name)
        self.first = Dense(width, hidden, "first", seed=5)
        self.second = Dense(hidden, width, "second", seed=6)

    def __call__(self, x):
        hidden = self.first(x)
        cubic = hidden + 0.044715 * tf.pow(hidden, 3.0)
        activated = 0.5 * hidden * (1.0 + tf.tanh(math.sqrt(2.0 / math.pi) * cubic))
        return self.second(activated)


class Block(tf.Module):
    """One layer of the transformer."""

    def __init__(self, width, heads, hidden, name):
        super().__init__(name=name)
        self.attention = Attention(width, heads, "attention")
        self.norm1 = LayerNorm(width, "norm1")
        self.feed_forward = FeedForward(width, hidden, "feed_forward")
        self.norm2 = LayerNorm(width, "norm2")

    def __call__(self, x, mask, rate):
        attended = self.attention(x, mask)
        x = self.norm1(x + tf.nn.dropout(attended, rate))
        changed = self.feed_forward(x)
        return self.norm2(x + tf.nn.dropout(changed, rate))


class Classifier(tf.Module):
    """Token embedding, positions, blocks, mean over the sequence, one dense layer."""

    def __init__(self, vocabulary, length, width, heads, hidden, blocks, classes):
        super().__init__(name="classifier")
        self.tokens = tf.Variable(tf.random.normal([vocabulary, width], stddev=0.02), name="tokens")
        self.positions = tf.Variable(tf.random.normal([length, width], stddev=0.02), name="positions")
        self.blocks = [Block(width, heads, hidden, f"block{i}") for i in range(blocks)]
        self.head = Dense(width, classes, "head", seed=7)

    def __call__(self, ids, training):
        mask = tf.cast(tf.not_equal(ids, 0), tf.float32)
        x = tf.nn.embedding_lookup(self.tokens, ids)
        x = x + self.positions[None, : tf.shape(ids)[1], :]
        rate = 0.1 if training else 0.0
        for block in self.blocks:
            x = block(x, mask, rate)
        total = tf.reduce_sum(x * mask[:, :, None], axis=1)
        pooled = total / tf.maximum(tf.reduce_sum(mask, axis=1, keepdims=True), 1.0)
        return self.head(pooled)
