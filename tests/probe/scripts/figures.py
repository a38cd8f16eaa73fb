"""Outputs whose figures are hard to take; the script tells NumPy's."""

import time
import warnings

import numpy as np
import tensorflow as tf
import truth
from tensorflow.python.framework import op_callbacks

warnings.simplefilter("error")
told = {}
values = {}


def on_op(op_type, inputs, attrs, outputs, op_name=None, graph=None):
    for output in outputs:
        if graph is None and (output.dtype.is_floating or output.dtype.is_complex):
            with np.errstate(all="ignore"):
                told[output._id] = truth.figures(output.numpy())
        if graph is None and output.dtype.name in (
            "float32",
            "float16",
            "int32",
            "bool",
            "complex64",
            "float64",
        ):
            array = output.numpy()
            if array.size <= 100:
                values[output._id] = [array.dtype.str, list(array.shape), array.tobytes().hex()]
        elif graph is None and output.dtype == tf.string:
            values[output._id] = [
                "string",
                output.shape.as_list(),
                [s.decode() for s in np.asarray(output.numpy(), object).ravel()],
            ]


op_callbacks.add_op_callback(on_op)
huge = tf.constant([3e38, -2e38, 1.0])
for dtype in ("float32", "float64", "float16", "bfloat16", "complex64", "complex128"):
    x = tf.cast(tf.constant([1.0, -2.0, 0.0]), dtype)
    tf.math.divide(x, tf.zeros((3,), dtype))
    tf.identity(x) * 3 if dtype not in ("float16",) else x + x
    tf.identity(tf.zeros((0, 2), dtype)) + 0
    tf.fill((400, 300), x[1])
tf.identity(huge)
tf.add(huge, huge)
tf.math.log(tf.constant([-1.0, 0.0, 1.0]))
tf.identity(tf.constant([1e-30, -1e-38, 1e-45])) + 0.0
tf.identity(tf.constant([1e300, 1e-300], tf.float64)) * 1.0
tf.square(tf.constant([1e-25, 2e-25]))
tf.cast(tf.constant([60000.0, 65504.0]), tf.float16)
tf.linspace(-1.0, 1.0, 200_000)
tf.where(tf.range(200_000) == 100_001, tf.constant(float("nan")), tf.constant(2.0))
tf.nn.moments(tf.constant([[1.0, np.inf], [2.0, 3.0]]), 0)
tf.unstack(tf.constant([[1.0, np.nan], [2.0, 3.0], [np.inf, -np.inf]]))
tf.nn.top_k(tf.constant([1.0, 5.0, 3.0]), 2)
tf.linalg.svd(tf.constant([[1.0, 2.0], [3.0, 4.0]]))
tf.cast(tf.constant([1, 2]), tf.float32)
tf.argmax([1.0, 3.0])
tf.logical_not([True, False])
tf.strings.join(["a", "bé"])
tf.reduce_sum(tf.ones(()))
tf.transpose(tf.reshape(tf.range(6.0), (2, 3)))


@tf.custom_gradient
def doubled(x):
    old = tf.constant([1.0, np.nan]) * 2.0

    def gradient(upstream):
        time.sleep(0.15)  # what waits is written with the next op
        _, second = tf.split(upstream * np.nan, 2)  # not its op's first output
        return second

    def handed_on(upstream):
        tf.identity(upstream)
        time.sleep(0.15)
        tf.identity(upstream)
        return old

    return tf.concat([x, x], 0), gradient if x.shape[0] == 3 else handed_on


for size in (3, 2):
    with tf.GradientTape() as tape:
        source = tf.Variable(tf.ones((size,)))
        y = doubled(source)
    tape.gradient(y, source)
truth.tell(figures=list(told.items()), values=list(values.items()))
truth.say()
