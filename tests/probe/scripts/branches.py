"""Code that takes another way each time: what an op callback of the script's own sees of it is the truth."""
# ruff: noqa: RUF034, SIM114

import functools
import random

import tensorflow as tf
import truth
import twin_a
import twin_b

log = truth.OpLog(__file__, truth.__file__, twin_a.__file__, twin_b.__file__)
dice = random.Random(11)
weight = tf.Variable([[0.5, -0.25], [0.125, 1.0]], name="weight")


def unit(x):
    return tf.tanh(x)


def either(x):
    return unit(x) if dice.random() < 0.5 else unit(x)


def chosen(x, way):
    if way == 0:
        x = unit(x)
    elif way == 1:
        x = unit(x)
    elif way == 2:
        x = unit(x)
        x = unit(x)
    else:
        for _ in range(way):
            x = unit(x)
    return x


def recursive(x, depth):
    if depth == 0:
        return tf.negative(x)
    if dice.random() < 0.5:
        return recursive(unit(x), depth - 1)
    x = recursive(x, depth - 1)
    return tf.exp(-tf.abs(x))


def branching(x, depth):
    if depth == 0:
        return unit(x)
    left = branching(x, depth - 1) if dice.random() < 0.6 else x
    right = branching(x, depth - 1) if dice.random() < 0.6 else unit(x)
    return left + right


def plain(x):
    return tf.nn.relu(x)


def wrapped(x):
    return plain(x)


def wrapped_twice(x):
    return wrapped(x)


def wrapped_thrice(x):
    return wrapped_twice(x)


def wrapped_often(x):
    return wrapped_thrice(x)


def decorated(function):
    @functools.wraps(function)
    def inside(x):
        return function(x)

    return inside


@decorated
def outside(x):
    return tf.nn.relu(x)


ACTIVATIONS = [
    tf.nn.relu,
    plain,
    wrapped,
    wrapped_twice,
    wrapped_thrice,
    wrapped_often,
    tf.keras.activations.relu,
    outside,
    functools.partial(wrapped),
    lambda x: tf.nn.relu(x),
    lambda x: plain(x),
]


def activated(x):
    for _ in range(12):
        x = dice.choice(ACTIVATIONS)(x)
    return x


def through_library(x):
    for _ in range(6):
        x = tf.nest.map_structure(dice.choice(ACTIVATIONS), x)
    return x


def lengths(rows):
    return [tf.reduce_sum(row) for row in rows]


def drawn(count):
    for index in range(count):
        yield tf.fill([index + 1, 2], 0.5)


def mapped(x):
    double = tf.nest.map_structure(lambda y: y + y, {"a": x, "b": [x, x][: dice.randint(0, 2)]})
    return tf.add_n(tf.nest.flatten(double))


def squashed(x):
    for _ in range(6):
        x = dice.choice([twin_a, twin_b]).squash(x)
    return x


def caught(x):
    for _ in range(3):
        try:
            x = tf.reshape(x, [dice.choice([3, 4]), -1])
            x = tf.reshape(x, [-1, 2])
        except tf.errors.InvalidArgumentError:
            x = tf.square(x)
    return x


def train_step(x, way):
    rows = [tf.reduce_mean(part) for part in drawn(dice.randint(0, 5))]
    with tf.GradientTape() as tape:
        y = x @ weight
        if way % 2:
            y = chosen(y, way)
            y = either(y)
        else:
            y = either(y)
            y = chosen(y, way)
        if dice.random() < 0.3:
            y = recursive(y, dice.randint(0, 6))
        y = activated(y)
        y = through_library(y)
        y = branching(y, dice.randint(0, 4)); y = mapped(y)  # fmt: skip  # noqa: E702
        loss = tf.reduce_sum(y) + (tf.add_n(rows) if rows else 0.0)
    gradient = tape.gradient(loss, weight)
    if dice.random() < 0.5:
        gradient = tf.clip_by_norm(gradient, 1.0)
    weight.assign_sub(0.001 * gradient)
    return loss


def between(x):
    x = through_library(caught(x))
    for _ in range(dice.randint(0, 3)):
        x = chosen(x, dice.randint(0, 5))
    x = squashed(x)
    return lengths(tf.unstack(x)[: dice.randint(0, 3)])


class Short:
    """Its step opens the tape before any op, and nothing runs from one call to the next."""

    @staticmethod
    def train_step(x):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(x @ weight)
        weight.assign_sub(0.001 * tape.gradient(loss, weight))


def short(x):
    Short.train_step(x)


log.install()
for _ in range(60):
    x = tf.fill([dice.choice([2, 4, 6]), 2], 0.1)
    if dice.random() < 0.5:
        train_step(x, dice.randint(0, 5))
    else:
        train_step(x + 1.0, dice.randint(0, 5))
    between(x)
for _ in range(3):
    Short.train_step(x)
Short.train_step(x)
short(x)
Short.train_step(x)
truth.tell(**log.facts())
truth.say()
