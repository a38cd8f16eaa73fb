"""SimCLR-like pretraining with a projection head, then a linear probe on the frozen encoder."""

import numpy as np
import tensorflow as tf

rng = np.random.default_rng(25)
labels = rng.integers(0, 4, 256)
points = (rng.normal(size=(4, 10))[labels] + 0.3 * rng.normal(size=(256, 10))).astype("float32")
encoder = tf.keras.Sequential(
    [tf.keras.Input((10,)), tf.keras.layers.Dense(32, "relu"), tf.keras.layers.Dense(16, "relu")]
)
projection = tf.keras.Sequential(
    [tf.keras.Input((16,)), tf.keras.layers.Dense(16, "relu"), tf.keras.layers.Dense(8)]
)
probe = tf.keras.layers.Dense(4)
contrastive_optimizer, probe_optimizer = tf.keras.optimizers.Adam(1e-3), tf.keras.optimizers.Adam(1e-2)
cross_entropy = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def pretrain(batch):
    one, two = (batch + 0.1 * tf.random.normal(batch.shape) for _ in range(2))
    with tf.GradientTape() as tape:
        a = tf.math.l2_normalize(projection(encoder(one)), axis=1)
        b = tf.math.l2_normalize(projection(encoder(two)), axis=1)
        similarities = tf.matmul(a, b, transpose_b=True) / 0.1
        goal = tf.range(len(batch))
        loss = (cross_entropy(goal, similarities) + cross_entropy(goal, tf.transpose(similarities))) / 2
    variables = encoder.trainable_weights + projection.trainable_weights
    contrastive_optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))


def fit_probe(batch, labels):
    with tf.GradientTape() as tape:
        loss = cross_entropy(labels, probe(encoder(batch, training=False)))
    variables = probe.trainable_weights
    probe_optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))


for i in range(0, 256, 32):
    pretrain(tf.constant(points[i : i + 32]))
for i in range(0, 256, 32):
    fit_probe(tf.constant(points[i : i + 32]), tf.constant(labels[i : i + 32]))
