"""Progress bars and colours: carriage returns, escape codes, a terminal's title."""

import sys

import tensorflow as tf

weight = tf.Variable(1.0, name="weight")
for batch in range(5):
    with tf.GradientTape() as tape:
        loss = weight * weight
    weight.assign_sub(0.1 * tape.gradient(loss, weight))
    sys.stdout.write(
        f"\r\x1b[32m{'█' * batch}\x1b[0m{' ' * (4 - batch)} \x1b]0;batch {batch}\x07{float(loss):.3f}"
    )
    sys.stdout.flush()
print("\x1b[2K\rdone", sys.stdout.isatty())
