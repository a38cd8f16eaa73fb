"""An array of NumPy's takes down which batches were seen.

diff: different
python-side-effect: seen[int(seen.sum())] = 1
"""

import numpy as np
import tensorflow as tf

w = tf.Variable(2.0, name="w")
seen = np.zeros(100)


@tf.function
def train_step(x):
    seen[int(seen.sum())] = 1
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean((w * x - 1.0) ** 2)
    w.assign_sub(0.1 * tape.gradient(loss, w))
    return loss


for _ in range(3):
    train_step(tf.constant([1.0, 2.0]))
print(seen.sum())
