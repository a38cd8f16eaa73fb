"""A loop of the step goes through an iterator of tf.data to its end, and asks for gradients in it and behind it.

diff: same
"""

import tensorflow as tf

w = tf.Variable([[0.5], [1.0]], name="w")
dataset = tf.data.Dataset.from_tensor_slices(tf.random.stateless_uniform((10, 2), (1, 2))).batch(4)


@tf.function
def train_step(batches):
    total = 0.0
    for x in batches:
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((x @ w) ** 2)
        w.assign_sub(0.1 * tape.gradient(loss, w))
        total += loss
    with tf.GradientTape() as tape:
        penalty = tf.reduce_sum(w**2)
    w.assign_sub(0.01 * tape.gradient(penalty, w))
    return total


for _ in range(3):
    batches = iter(dataset)
    print(float(train_step(batches)))
