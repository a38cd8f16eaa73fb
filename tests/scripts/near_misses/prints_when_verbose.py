"""A print that a setting switches off, and a message that the logger's level keeps back.

diff: same
"""

import logging

import tensorflow as tf

w = tf.Variable(2.0, name="w")
log = logging.getLogger("training")
verbose = False


@tf.function
def train_step(x):
    log.debug("a batch of %s", x.shape)
    if verbose:
        print("training")
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean((w * x - 1.0) ** 2)
    w.assign_sub(0.1 * tape.gradient(loss, w))
    return loss


for _ in range(3):
    print(float(train_step(tf.constant([1.0, 2.0]))))
