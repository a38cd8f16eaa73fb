"""A tuple of tensors, a nested batch and an unstacked tensor are taken apart.

diff: same
"""

import tensorflow as tf

w = tf.Variable(2.0, name="w")


@tf.function
def train_step(batch):
    (x, y), options = batch["data"], batch["options"]
    first, second = tf.unstack(x)
    with tf.GradientTape() as tape:
        loss = (w * first - second) ** 2 + tf.reduce_mean(y) * options["scale"]
    w.assign_sub(0.1 * tape.gradient(loss, w))
    return loss


for _ in range(3):
    data = (tf.constant([1.0, 2.0]), tf.constant([3.0]))
    print(float(train_step({"data": data, "options": {"scale": 0.5}})))
