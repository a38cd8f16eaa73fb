"""Steps called with arguments of every kind."""

import numpy as np
import tensorflow as tf

w = tf.Variable([1.0, 2.0], name="w")


def grad(x):
    return x


def positional(x, scale, *rest, flag=True, **others):
    y = x * scale
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(w * y)
    return tape.gradient(loss, w)


def rebound(x, y, z):
    x = np.asarray(x) * 2  # before any op
    z = z + 1
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(w * x) + y
    y = None
    return tape.gradient(loss, w)


def rebound_by_an_op(x):
    x = tf.exp(x)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(w * x)
    return tape.gradient(loss, w)


def structures(pair, table, array, variable, text, nothing, function):
    inner = lambda: table  # noqa: E731  (the argument becomes a cell)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(w * pair[0] * inner()["a"] * array)
    return tape.gradient(loss, w)


class Trainer:
    def step(self, x):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(w * x)
        return tape.gradient(loss, w)


one = tf.constant([1.0, 1.0])
for turn in range(2):
    positional(one, 2.0 + turn, "more", 7, flag=False, extra=one)
    rebound([1.0, 2.0], 3.0, 4)
    rebound_by_an_op(tf.ones((2,), tf.float32))
    structures((one, 1), {"a": one}, np.ones((2,), np.float32), w, "text", None, grad)
    Trainer().step(one)
