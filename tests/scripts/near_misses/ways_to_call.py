"""Arguments by name, by default, as a list and as a dict.

diff: same
"""

import tensorflow as tf

w = tf.Variable(2.0, name="w")


@tf.function
def train_step(x, *rest, rate=0.1, **options):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean((w * x - rest[0]) ** 2) * options["weight"]
    w.assign_sub(rate * tape.gradient(loss, w))
    return loss


for _ in range(3):
    print(float(train_step(tf.constant([1.0, 2.0]), tf.constant(1.0), rate=0.05, weight=2.0)))
