"""Gradients are gathered in variables and applied in every second batch.

diff: same
"""

import tensorflow as tf

w = tf.Variable([[0.5], [-0.25]], name="w")
gathered = tf.Variable(tf.zeros_like(w), name="gathered")
batches = tf.Variable(0, name="batches")


@tf.function
def train_step(x):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.square(x @ w))
    gathered.assign_add(tape.gradient(loss, w))
    batches.assign_add(1)
    if batches % 2 == 0:
        w.assign_sub(0.1 * gathered)
        gathered.assign(tf.zeros_like(gathered))
    return loss


for batch in range(4):
    print(float(train_step(tf.ones((4, 2)) * (batch + 1.0))))
