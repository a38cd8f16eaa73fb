"""A generator of NumPy's own is drawn from.

diff: different
frozen-random: rng.uniform(
"""

import numpy as np
import tensorflow as tf

w = tf.Variable(2.0, name="w")
rng = np.random.default_rng(3)


@tf.function
def train_step(x):
    scale = rng.uniform(0.5, 1.5)
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean((w * x * scale - 1.0) ** 2)
    w.assign_sub(0.1 * tape.gradient(loss, w))
    return loss


for _ in range(3):
    print(float(train_step(tf.constant([1.0, 2.0]))))
