"""Gradients of many kinds, each beside what a persistent tape says of every tensor on the way."""

from __future__ import annotations

import json
import sys

import numpy as np
import tensorflow as tf
from tensorflow.python.framework import op_callbacks

tf.keras.utils.set_random_seed(3)
INPUT = tf.random.normal([4, 6])
IMAGES = tf.random.normal([2, 6, 6, 1])
told = {}
made = []


def numbers(value):
    """A gradient as nested lists: None, dense values, or the pairs of a complex one."""
    if value is None:
        return None
    array = tf.convert_to_tensor(value).numpy()
    return np.stack([array.real, array.imag], -1).tolist() if array.dtype.kind == "c" else array.tolist()


def collect(op_type, inputs, attrs, outputs, op_name=None, graph=None):
    if graph is None:
        made.extend(t for t in outputs if t.dtype.is_floating or t.dtype.is_complex)


def case(function):
    """Run `function(tape)`, which gives targets and sources, and ask for the gradients twice over.

    Both tapes record the same ops. `own` is asked once, as a script does; `truth` for each tensor that was made.
    """
    made.clear()
    op_callbacks.add_op_callback(collect)
    with tf.GradientTape(persistent=True) as truth, tf.GradientTape() as own:
        target, sources = function((truth, own))
    op_callbacks.remove_op_callback(collect)
    tensors = list(made)
    gradients = own.gradient(target, sources)
    told[function.__name__] = {
        "targets": [t._id for t in tf.nest.flatten(target)],
        "tensors": [[t._id, numbers(truth.gradient(target, t))] for t in tensors],
        "sources": [
            [getattr(source, "handle", source)._id, numbers(gradient)]
            for source, gradient in zip(sources, gradients, strict=True)
        ],
    }


dense_layers = tf.keras.Sequential(
    [tf.keras.layers.Dense(5, activation="relu"), tf.keras.layers.Dense(3), tf.keras.layers.Softmax()]
)
conv_layers = tf.keras.Sequential(
    [
        tf.keras.layers.Conv2D(3, 3, activation="relu"),
        tf.keras.layers.MaxPool2D(),
        tf.keras.layers.BatchNormalization(),
        tf.keras.layers.Flatten(),
        tf.keras.layers.Dense(2),
    ]
)
dense_layers(INPUT), conv_layers(IMAGES)
table = tf.Variable(tf.random.normal([5, 3]))
weight = tf.Variable(tf.random.normal([6, 3]))
phases = tf.Variable(tf.complex(tf.random.normal([3]), tf.random.normal([3])))


def dense(tapes):
    return tf.reduce_mean(dense_layers(INPUT) ** 2), dense_layers.trainable_variables


def conv(tapes):
    return tf.reduce_mean(conv_layers(IMAGES, training=True) ** 3), conv_layers.trainable_variables


def embedding(tapes):
    rows = tf.nn.embedding_lookup(table, [1, 1, 3])
    more = tf.gather(table, [[0], [1]])
    return tf.reduce_sum(rows**2) + tf.reduce_mean(more * tf.reduce_sum(table)), [table]


@tf.custom_gradient
def clipped(x, y):
    def grad(upstream_a, upstream_b):
        return tf.clip_by_value(upstream_a, -0.1, 0.1) * y, upstream_b * 2.0

    return (x * y, x + y), grad


def custom(tapes):
    h = tf.matmul(INPUT, weight)
    a, b = clipped(h, tf.sin(h))
    return tf.reduce_sum(a * b), [weight]


def recomputed(tapes):
    block = tf.recompute_grad(lambda x: tf.tanh(tf.matmul(x, weight)) * 2.0)
    return tf.reduce_sum(block(INPUT) ** 2), [weight]


def second_order(tapes):
    with tf.GradientTape() as inner:
        loss = tf.reduce_sum(tf.tanh(tf.matmul(INPUT, weight)) ** 2)
    gradient = inner.gradient(loss, weight)
    return tf.reduce_sum(gradient**2) + loss, [weight]


@tf.function
def traced(x, y):
    return tf.sin(tf.matmul(x, weight)), tf.reduce_sum(y * 2.0)


def function_inside(tapes):
    h = tf.nn.relu(tf.matmul(INPUT, weight))
    out, total = traced(INPUT * tf.reduce_sum(h), h)
    return tf.reduce_mean(out) + total, [weight]


def complex_numbers(tapes):
    spectrum = tf.signal.fft(phases * tf.complex(2.0, 1.0))
    return tf.reduce_sum(tf.abs(spectrum) ** 2) + tf.reduce_sum(tf.math.real(phases)), [phases]


def several_targets(tapes):
    h = tf.matmul(INPUT, weight)
    return [tf.reduce_sum(h), tf.nn.softmax(h), tf.exp(-h)], [weight]


def used_twice(tapes):
    x = tf.constant([1.0, 2.0, 3.0])
    for tape in tapes:
        tape.watch(x)
    y = x * x
    parts = tf.split(tf.concat([y, y + x, y - x], 0), 3)
    unused, shape = tf.argmax(y), tf.shape(y)
    blocked = tf.stop_gradient(y) * 2.0
    return tf.reduce_sum(y * parts[0] + parts[2] + blocked) * tf.cast(
        shape[0] + 0 * tf.cast(unused, tf.int32), tf.float32
    ), [x]


def statistics(tapes):
    values, _ = tf.nn.top_k(tf.matmul(INPUT, weight), 2)
    mean, variance = tf.nn.moments(values, [0])
    parts = tf.unstack(tf.transpose(values))
    where = tf.where(parts[0] > 0, parts[0], tf.zeros_like(parts[0]))
    return tf.reduce_sum(where) + tf.reduce_sum(tf.math.rsqrt(variance + 1.0) * mean), [weight]


def persistent_twice():
    made.clear()
    op_callbacks.add_op_callback(collect)
    with tf.GradientTape(persistent=True) as tape:
        h = tf.matmul(INPUT, weight)
        loss, other = tf.reduce_sum(tf.tanh(h)), tf.reduce_mean(h**2)
    op_callbacks.remove_op_callback(collect)
    tensors = list(made)
    tape.gradient(loss, weight)
    tape.gradient(other, weight)
    told["persistent_twice"] = {
        "targets": [loss._id, other._id],
        "tensors": [[t._id, [numbers(tape.gradient(x, t)) for x in (loss, other)]] for t in tensors],
    }


for function in (
    dense, conv, embedding, custom, recomputed, second_order, function_inside, complex_numbers, several_targets,
    used_twice, statistics,
):  # fmt: skip
    for _ in range(2):  # the second time runs from TensorFlow's caches
        case(function)
persistent_twice()
print("TRUTH", json.dumps(told))
sys.stdout.flush()
