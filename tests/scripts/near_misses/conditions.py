"""`and`, `not`, chained comparisons and a conditional expression on tensors, which AutoGraph converts.

diff: same
"""

import tensorflow as tf

w = tf.Variable(2.0, name="w")


@tf.function
def train_step(x):
    total = tf.reduce_sum(x)
    scale = 0.5 if total > 1.0 and not total > 10.0 else 2.0
    if 0.0 < total < 9.0:
        scale = scale * 0.9
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean((w * x * scale - 1.0) ** 2)
    w.assign_sub(0.1 * tape.gradient(loss, w))
    return loss


for _ in range(3):
    print(float(train_step(tf.constant([1.0, 2.0]))))
