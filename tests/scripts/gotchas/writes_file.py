"""A line is written to a file that the script holds open.

diff: different
python-side-effect: log.write(
"""

import tempfile

import tensorflow as tf

w = tf.Variable(2.0, name="w")
log = tempfile.TemporaryFile("w+")  # noqa: SIM115


@tf.function
def train_step(x):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean((w * x - 1.0) ** 2)
    w.assign_sub(0.1 * tape.gradient(loss, w))
    log.write("a batch\n")
    return loss


for _ in range(3):
    train_step(tf.constant([1.0, 2.0]))
log.seek(0)
print(len(log.readlines()))
