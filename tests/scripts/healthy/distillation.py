"""Knowledge distillation: a student learns from soft labels of a teacher that is not trained."""

import numpy as np
import tensorflow as tf

rng = np.random.default_rng(27)
labels = rng.integers(0, 4, 320)
points = (rng.normal(size=(4, 8))[labels] + 0.5 * rng.normal(size=(320, 8))).astype("float32")
teacher = tf.keras.Sequential(
    [tf.keras.Input((8,)), tf.keras.layers.Dense(32, "relu"), tf.keras.layers.Dense(4)]
)
student = tf.keras.Sequential(
    [tf.keras.Input((8,)), tf.keras.layers.Dense(8, "relu"), tf.keras.layers.Dense(4)]
)
optimizer = tf.keras.optimizers.Adam(5e-3)
hard = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
soft = tf.keras.losses.KLDivergence()
for i in range(0, 320, 32):
    x, y = tf.constant(points[i : i + 32]), tf.constant(labels[i : i + 32])
    said = teacher(x, training=False)
    with tf.GradientTape() as tape:
        logits = student(x, training=True)
        loss = 0.1 * hard(y, logits) + 0.9 * 9 * soft(
            tf.nn.softmax(said / 3, axis=1), tf.nn.softmax(logits / 3, axis=1)
        )
    gradients = tape.gradient(loss, student.trainable_variables)
    optimizer.apply_gradients(zip(gradients, student.trainable_variables, strict=True))
