"""Retraces of every cause, each followed by what a healthy program does; run with --mode graph."""

import json

import numpy as np
import tensorflow as tf

COUNTS = {}


def counted(name, function):
    COUNTS[name] = function.experimental_get_tracing_count()


@tf.function
def by_value(x, n):
    return x * n


for i in range(4):
    by_value(tf.ones(2), i)
counted("by_value", by_value)


@tf.function
def by_shape(x):
    return tf.reduce_sum(x)


for size in (8, 7, 6, 5):
    by_shape(tf.ones([size, 3]))
counted("by_shape", by_shape)


@tf.function
def by_shape_and_flag(x, training):
    return tf.reduce_sum(x) if training else x[0, 0]


for size in (8, 7, 6, 5):
    by_shape_and_flag(tf.ones([size, 3]), training=True)
counted("by_shape_and_flag", by_shape_and_flag)


@tf.function
def by_dtype(x):
    return x + x


for dtype in (np.float32, np.float64, np.int32):
    by_dtype(tf.constant([1, 2], dtype))
counted("by_dtype", by_dtype)


@tf.function
def by_rank(x):
    return x + x


for rank in (1, 2, 3):
    by_rank(tf.ones([2] * rank))
counted("by_rank", by_rank)


class Config:
    rate = 0.5


@tf.function
def by_object(x, config):
    return x * config.rate


KEPT = [Config() for _ in range(3)]
for config in KEPT:
    by_object(tf.ones(2), config)
counted("by_object", by_object)


@tf.function
def by_death(x, config):
    return x * config.rate


for _ in range(3):
    by_death(tf.ones(2), Config())
counted("by_death", by_death)


@tf.function
def by_structure(batch):
    return tf.add_n(list(batch))


for parts in (2, 3, 4):
    by_structure([tf.ones(2)] * parts)
counted("by_structure", by_structure)


@tf.function
def by_type(x, scale):
    return x * scale


by_type(tf.ones(2), 2.0)
by_type(tf.ones(2), tf.constant(2.0))
by_type(tf.ones(2), 3.0)
counted("by_type", by_type)


@tf.function
def by_variable(v):
    return v + 1.0


for size in (2, 3, 4):
    by_variable(tf.Variable(tf.ones(size)))
counted("by_variable", by_variable)


@tf.function
def by_nested(x, options):
    return x * options["rate"]


for rate in range(3):
    by_nested(tf.ones(2), {"rate": rate, "name": "a"})
counted("by_nested", by_nested)


@tf.function
def by_arguments(x, *rest):
    return x + len(rest)


for count in range(3):
    by_arguments(tf.ones(2), *[tf.ones(2)] * count)
counted("by_arguments", by_arguments)


def made_anew(x):
    return x + 1.0


for _ in range(4):
    tf.function(made_anew)(tf.ones(2))


class Model(tf.Module):
    @tf.function
    def method(self, x):
        return x + 1.0


for _ in range(4):
    Model().method(tf.ones(2))


class Lazy(tf.Module):
    def __init__(self):
        super().__init__()
        self.v = None

    @tf.function
    def creates(self, x):
        if self.v is None:
            self.v = tf.Variable(2.0)
        return x * self.v


lazy = Lazy()
for _ in range(3):
    lazy.creates(tf.ones(2))


@tf.function
def inner(x):
    return x + 1.0


@tf.function
def outer(x):
    return inner(x)  # NESTED CALL


outer(tf.ones(2))


@tf.function
def healthy(x, training):
    return tf.reduce_mean(x) if training else x[0]


for _ in range(20):
    healthy(tf.ones(8), True)
healthy(tf.ones(5), True)
for _ in range(20):
    healthy(tf.ones(8), False)
counted("healthy", healthy)


def fold_step(x):
    return x - 1.0


for _ in range(4):
    step = tf.function(fold_step)
    for _ in range(6):
        step(tf.ones(2))


@tf.function(input_signature=[tf.TensorSpec([None, 3], tf.float32)])
def signed(x):
    return tf.reduce_sum(x)


@tf.function
def tensors(x, n):
    return x * tf.cast(n, x.dtype)


@tf.function(reduce_retracing=True)
def reduced(x, training):
    return tf.reduce_sum(x) if training else x[0, 0]


for size in (8, 7, 6, 5):
    signed(tf.ones([size, 3]))
    tensors(tf.ones(2), tf.constant(size))
    reduced(tf.ones([size, 3]), training=True)
for function in (signed, tensors, reduced):
    counted(function.python_function.__name__, function)


@tf.function
def broken(x):
    return x.numpy()


try:
    broken(tf.ones(2))
except AttributeError as error:
    print("caught", str(error).splitlines()[0])

for _ in range(3):
    for _ in tf.data.Dataset.range(3).map(lambda x: x + 1):
        pass
print("TRUTH " + json.dumps(COUNTS))
