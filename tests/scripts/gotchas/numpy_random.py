"""NumPy's random numbers are drawn once, while tracing.

diff: different
frozen-random: np.random.normal(
"""

import numpy as np
import tensorflow as tf

w = tf.Variable([[0.5], [-0.25]], name="w")


@tf.function
def train_step(x):
    noise = np.random.normal(scale=0.1, size=(4, 2)).astype("float32")
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.square((x + noise) @ w))
    w.assign_sub(0.1 * tape.gradient(loss, w))
    return loss


for batch in range(3):
    print(float(train_step(tf.ones((4, 2)) * (batch + 1.0))))
