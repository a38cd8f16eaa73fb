"""Outputs measured as if they lay on another device than the CPU: norms and counts against NumPy's."""

import os
import tempfile

import numpy as np
import tensorflow as tf
import truth

from tapeinspect import open_trace, record
from tapeinspect.probe import tf_private

tf_private.on_host = lambda tensor: False
weight = tf.Variable(tf.random.stateless_normal((8, 8), (1, 2)), name="weight")
values = {}


def train_step(x):
    with tf.GradientTape() as tape:
        y = tf.matmul(x, weight)
        half = tf.cast(y, tf.float16)
        bad = tf.math.log(tf.nn.relu(y))
        parts = tf.split(y, 2, axis=1)
        loss = tf.reduce_sum(tf.nn.tanh(y))
    for tensor in (y, half, bad, *parts, loss):
        values[tensor._id] = tensor.numpy().astype("float64")
    weight.assign_sub(0.1 * tape.gradient(loss, weight))


path = os.path.join(tempfile.mkdtemp(), "elsewhere.tape")
with record(path):
    for batch in range(2):
        train_step(tf.fill((4, 8), 0.5 + batch))
trace = open_trace(path)
found = []
for row in trace.rows(range(1, trace.counts.ops + 1)):
    for output in trace.op(row.id).outputs:
        if output.id in values:
            array = values[output.id]
            nan, inf = int(np.isnan(array).sum()), int(np.isinf(array).sum())
            norm = None if nan or inf else float(np.linalg.norm(array))
            health = output.health
            found.append([row.type, [nan, inf, norm], health and [health.nan, health.inf, health.norm]])
truth.tell(found=found, tapes=len(trace.tapes(None)), gradients=[g.form for g in trace.gradients(None)])
truth.say()
