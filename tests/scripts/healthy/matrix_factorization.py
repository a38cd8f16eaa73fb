"""Recommendations from user and item embeddings, with an L2 penalty."""

import numpy as np
import tensorflow as tf

rng = np.random.default_rng(24)
users, items = rng.integers(0, 40, 800), rng.integers(0, 60, 800)
ratings = (rng.normal(size=(40, 3))[users] * rng.normal(size=(60, 3))[items]).sum(axis=1).astype("float32")
user_table = tf.Variable(tf.random.normal((40, 8)) * 0.3, name="users")
item_table = tf.Variable(tf.random.normal((60, 8)) * 0.3, name="items")
bias = tf.Variable(0.0, name="bias")
optimizer = tf.keras.optimizers.Adagrad(0.1)
for i in range(0, 800, 40):
    u, m, r = users[i : i + 40], items[i : i + 40], ratings[i : i + 40]
    with tf.GradientTape() as tape:
        left, right = tf.nn.embedding_lookup(user_table, u), tf.nn.embedding_lookup(item_table, m)
        error = tf.reduce_sum(left * right, axis=1) + bias - r
        loss = tf.reduce_mean(tf.square(error)) + 1e-3 * (tf.nn.l2_loss(left) + tf.nn.l2_loss(right))
    variables = [user_table, item_table, bias]
    optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
