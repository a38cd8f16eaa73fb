"""A list that lives and dies in the step, filled by a loop over a Python list.

diff: same
"""

import tensorflow as tf

weights = [tf.Variable(0.5 * i, name=f"w{i}") for i in range(3)]


@tf.function
def train_step(x):
    with tf.GradientTape() as tape:
        parts = []
        for weight in weights:
            parts.append(tf.reduce_mean((weight * x - 1.0) ** 2))
        loss = tf.add_n(parts)
    for weight, gradient in zip(weights, tape.gradient(loss, weights), strict=True):
        weight.assign_sub(0.1 * gradient)
    return loss


for _ in range(3):
    print(float(train_step(tf.constant([1.0, 2.0]))))
