"""A dict gets an entry with a constant key in a loop of the graph: AutoGraph makes it a variable of the loop.

diff: same
"""

import tensorflow as tf

w = tf.Variable(2.0, name="w")


@tf.function
def train_step(x):
    sums = {"all": tf.reduce_sum(x)}
    for i in tf.range(2):
        sums["last"] = x[i]
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean((w * x - sums["last"]) ** 2)
    w.assign_sub(0.1 * tape.gradient(loss, w))
    return loss


for _ in range(3):
    print(float(train_step(tf.constant([1.0, 2.0]))))
