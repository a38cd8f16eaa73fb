"""The last batches are kept in a deque.

diff: different
python-side-effect: recent.append(x.shape[0])
"""

from collections import deque

import tensorflow as tf

w = tf.Variable(2.0, name="w")
recent = deque(maxlen=10)


@tf.function
def train_step(x):
    recent.append(x.shape[0])
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean((w * x - 1.0) ** 2)
    w.assign_sub(0.1 * tape.gradient(loss, w))
    return loss


for _ in range(3):
    train_step(tf.constant([1.0, 2.0]))
print(list(recent))
