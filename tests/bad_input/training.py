"""Trains for ever, and does at its third batch what its first argument says. Run by `test_training.py`."""

import os
import signal
import sys

import tensorflow as tf

weight = tf.Variable(1.0, name="weight")
deeds = {
    "kill": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "_exit": lambda: os._exit(7),
    "raise": lambda: 1 / 0,
    "fill": lambda: None,
    "wait": lambda: print("waiting", flush=True),
}
deed = deeds[sys.argv[1]]


def train_step(value):
    with tf.GradientTape() as tape:
        loss = weight * value
    weight.assign_sub(0.01 * tape.gradient(loss, weight))
    return loss


for batch in range(1, 100_000 if sys.argv[1] in ("wait", "fill") else 10):
    train_step(tf.random.normal([50, 50]))
    if sys.argv[1] == "fill" and batch == 400:
        print("trained", flush=True)
        sys.exit(4)
    if batch == 3:
        deed()
