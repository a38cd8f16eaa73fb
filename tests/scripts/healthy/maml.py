"""Model-agnostic meta-learning: an inner step by hand, differentiated by an outer tape."""

import numpy as np
import tensorflow as tf

rng = np.random.default_rng(22)
w1, b1 = tf.Variable(tf.random.normal((1, 24)) * 0.5), tf.Variable(tf.zeros(24))
w2, b2 = tf.Variable(tf.random.normal((24, 1)) * 0.2), tf.Variable(tf.zeros(1))
weights = [w1, b1, w2, b2]
optimizer = tf.keras.optimizers.Adam(1e-3)


def forward(x, weights):
    return tf.nn.tanh(x @ weights[0] + weights[1]) @ weights[2] + weights[3]


def task():
    phase = rng.uniform(0, 3)
    x = rng.uniform(-3, 3, (20, 1)).astype("float32")
    return tf.constant(x), tf.constant(np.sin(x + phase).astype("float32"))


def meta_step():
    x, y = task()
    with tf.GradientTape() as outer:
        with tf.GradientTape() as inner:
            loss = tf.reduce_mean(tf.square(forward(x[:10], weights) - y[:10]))
        fast = [w - 0.05 * g for w, g in zip(weights, inner.gradient(loss, weights), strict=True)]
        meta_loss = tf.reduce_mean(tf.square(forward(x[10:], fast) - y[10:]))
    optimizer.apply_gradients(zip(outer.gradient(meta_loss, weights), weights, strict=True))


for _ in range(16):
    meta_step()
