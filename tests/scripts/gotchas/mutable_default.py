"""A list as a default argument outlives the call.

diff: fails_to_trace
changed-argument: seen.append(1)
"""

import tensorflow as tf

w = tf.Variable(2.0, name="w")


def train_step(x, seen=[]):  # noqa: B006 (it is what this shows)
    seen.append(1)
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean((w * x - 1.0) ** 2)
    w.assign_sub(0.1 * tape.gradient(loss, w))
    return loss, len(seen)


for _ in range(3):
    print(train_step(tf.constant([1.0, 2.0]))[1])
