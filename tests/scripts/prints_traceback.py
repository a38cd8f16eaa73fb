"""Tracebacks that the script prints: its own error, TensorFlow's in the step, a second `gradient` call."""

import sys
import traceback

import tensorflow as tf

weight = tf.Variable([[1.0], [2.0]], name="weight")


def train_step(x):
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(x @ weight)
    tape.gradient(loss, weight)
    return tape, loss


def show():
    traceback.print_exc(file=sys.stdout)


try:
    raise KeyError("mine")
except KeyError:
    show()
try:
    train_step(tf.ones((3, 4)))
except tf.errors.InvalidArgumentError:
    show()
tape, loss = train_step(tf.ones((3, 2)))
try:
    tape.gradient(loss, weight)
except RuntimeError:
    show()
try:
    tape.watch("text")
except ValueError:
    show()
traceback.print_stack(file=sys.stdout)
