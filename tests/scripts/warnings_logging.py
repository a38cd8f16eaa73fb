"""Warnings and logging, to stderr and to stdout, with the line each came from."""

import logging
import sys
import warnings

import tensorflow as tf

logging.basicConfig(
    stream=sys.stdout, level=logging.INFO, format="%(levelname)s %(name)s %(funcName)s %(lineno)d %(message)s"
)
weight = tf.Variable(1.0, name="weight")


def train_step(batch):
    logging.getLogger("trainer").info("batch %d", batch)
    warnings.warn("careful", stacklevel=1)
    with tf.GradientTape() as tape:
        loss = weight * weight
    weight.assign_sub(0.1 * tape.gradient(loss, weight))
    return loss


for batch in range(2):
    print(float(train_step(batch)).hex())
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    train_step(2)
print([(str(w.message), w.lineno) for w in caught])
print(
    [type(handler).__name__ for handler in logging.getLogger().handlers], tf.get_logger().getEffectiveLevel()
)
print("to stderr", file=sys.stderr)
