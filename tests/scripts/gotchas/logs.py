"""A logger is told of each batch.

diff: different
python-print: log.info(
"""

import logging

import tensorflow as tf

w = tf.Variable(2.0, name="w")
log = logging.getLogger("training")
log.addHandler(logging.StreamHandler())
log.setLevel(logging.INFO)


@tf.function
def train_step(x):
    log.info("a batch of %s", x.shape)
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean((w * x - 1.0) ** 2)
    w.assign_sub(0.1 * tape.gradient(loss, w))
    return loss


for _ in range(3):
    train_step(tf.constant([1.0, 2.0]))
