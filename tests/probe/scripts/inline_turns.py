"""Loops that say themselves what their names held when each turn began, beside what was taken down of it."""

import sys

import numpy as np
import tensorflow as tf

from tapeinspect.probe import arguments
from tapeinspect.probe.inline import function as inline_function

weight = tf.Variable([[0.5], [-0.25]])
data = tf.data.Dataset.from_tensor_slices(tf.reshape(tf.range(24.0), (12, 2))).batch(3)
found = []
recorder = None


def same(a, b):
    """Whether two values are one, or the same number or array."""
    return (
        a is b or (type(a) in (int, float) and a == b) or (isinstance(a, np.ndarray) and np.array_equal(a, b))
    )


def check(loop, **begun):
    """Compare with what is known of the turn that runs."""
    turn = recorder.state().tracker.step.turn
    first, values = inline_function._values(turn, sys._getframe(1).f_locals)
    known = {name: value for name, value in arguments.given(values).items() if name != "begun"}
    wrong = [name for name in known if name not in begun or not same(begun[name], known[name])]
    found.append([loop, first, sorted(known), wrong])


def train(x):
    """What is done for a batch."""
    loss = tf.reduce_mean(tf.square(x @ weight))
    return loss


def sums(epochs):
    """A sum that begins anew, under a name that the batch takes, too."""
    for epoch in range(epochs):
        total = tf.constant(float(epoch))
        for step, x in enumerate(data):
            begun = {"x": x, "total": total, "step": step, "epoch": epoch}
            x = x / (1.0 + step)
            total = total * 1.0
            with tf.GradientTape() as tape:
                loss = train(x)
            weight.assign_sub(1e-4 * tape.gradient(loss, weight))
            total += loss + epoch
            check("sums", **begun)


def zipped():
    """The first of two ends later: an op runs in the loop's head behind the last turn."""
    for epoch in range(2):
        total = tf.constant(float(epoch))
        for x, y in zip(data, data.take(2), strict=False):
            begun = {"x": x, "y": y, "total": total}
            with tf.GradientTape() as tape:
                loss = train(x) + train(y) + total
            weight.assign_sub(1e-4 * tape.gradient(loss, weight))
            total = total + loss
            check("zipped", **begun)


def skipping():
    """Turns with ops and no tape, and epochs that are left early."""
    for epoch in range(2):
        total = tf.constant(float(epoch))
        for n, x in enumerate([tf.ones((3, 2)) * n for n in range(5)]):
            if tf.reduce_max(x) > 3.0:
                break
            begun = {"x": x, "total": total, "n": n}
            if n == 1:
                total += 100.0
                continue
            with tf.GradientTape() as tape:
                loss = train(x)
            weight.assign_sub(1e-4 * tape.gradient(loss, weight))
            total += loss * n
            check("skipping", **begun)


def now_and_then():
    """A tape under a condition."""
    state = np.zeros(2, "float32")
    for n in range(6):
        begun = {"state": state, "n": n}
        x = tf.ones((3, 2)) * state
        if n % 2:
            with tf.GradientTape() as tape:
                loss = train(x)
            weight.assign_sub(1e-4 * tape.gradient(loss, weight))
            check("now_and_then", **begun)
        state = state + n


def counted():
    """A `while` that counts at its beginning, with NumPy before the first op."""
    step, left = 0, 4
    while left > 0:
        step += 1
        begun = {"left": left, "step": step}
        x = np.full((3, 2), left, "float32")
        x = x * 2.0
        with tf.GradientTape() as tape:
            loss = train(x) * step
        weight.assign_sub(1e-4 * tape.gradient(loss, weight))
        check("counted", **begun)
        left = left - 1


def numpy_batches():
    """Batches that the script fills in place, one array for all."""
    batch = np.zeros((3, 2), "float32")
    for n in range(3):
        batch = batch + n
        begun = {"batch": batch, "n": n}
        with tf.GradientTape() as tape:
            loss = train(batch)
        weight.assign_sub(1e-4 * tape.gradient(loss, weight))
        check("numpy_batches", **begun)


def run(recording):
    """[loop, first statement, names, names that were wrong] of each turn, each loop run twice."""
    global recorder
    recorder = recording
    for loop in (lambda: sums(2), zipped, skipping, now_and_then, counted, numpy_batches) * 2:
        loop()
    return found
