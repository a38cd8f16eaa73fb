"""Mixed precision by hand: weights in float32, products in bfloat16, a scaled loss."""

import numpy as np
import tensorflow as tf

rng = np.random.default_rng(20)
labels = rng.integers(0, 5, 512)
points = (rng.normal(size=(5, 20))[labels] + 0.5 * rng.normal(size=(512, 20))).astype("float32")
w1 = tf.Variable(tf.random.normal((20, 32)) * 0.2, name="w1")
b1 = tf.Variable(tf.zeros(32), name="b1")
w2 = tf.Variable(tf.random.normal((32, 5)) * 0.2, name="w2")
variables = [w1, b1, w2]
SCALE = 1024.0
for i in range(0, 512, 32):
    x, y = tf.constant(points[i : i + 32]), tf.constant(labels[i : i + 32])
    with tf.GradientTape() as tape:
        half = [tf.cast(v, tf.bfloat16) for v in variables]
        hidden = tf.nn.relu(tf.cast(x, tf.bfloat16) @ half[0] + half[1])
        logits = tf.cast(hidden @ half[2], tf.float32)
        loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(y, logits))
        scaled = loss * SCALE
    gradients = [g / SCALE for g in tape.gradient(scaled, variables)]
    gradients, _ = tf.clip_by_global_norm(gradients, 1.0)
    for variable, gradient in zip(variables, gradients, strict=True):
        variable.assign_sub(0.1 * gradient)
