"""NumPy's code where it may stand: in tf.numpy_function and tf.py_function.

diff: same, op by op
"""

import numpy as np
import tensorflow as tf

w = tf.Variable(2.0, name="w")
seen = []


def note(value):
    seen.append(float(value))
    return np.float32(np.log1p(value))


@tf.function
def train_step(x):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean((w * x - 1.0) ** 2)
    w.assign_sub(0.1 * tape.gradient(loss, w))
    tf.py_function(lambda value: seen.append(float(value)), [loss], [])
    return tf.numpy_function(note, [loss], tf.float32)


for _ in range(3):
    print(float(train_step(tf.constant([1.0, 2.0]))), len(seen))
