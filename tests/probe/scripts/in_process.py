"""Records pieces of itself through the public API, and looks at what is left behind."""

import os
import sys
import threading

import numpy as np
import tensorflow as tf
import truth

import tapeinspect

path = sys.argv[1]
METHODS = ("_push_tape", "_pop_tape", "watch", "gradient", "jacobian", "batch_jacobian")


def state():
    from tensorflow.python.data.ops import structured_function
    from tensorflow.python.eager import record
    from tensorflow.python.eager.polymorphic_function import transform
    from tensorflow.python.framework import op_callbacks
    from tensorflow.python.ops.parallel_for import control_flow_ops

    return {
        "methods": [id(tf.GradientTape.__dict__[name]) for name in METHODS],
        "callbacks": len(op_callbacks.context.context().op_callbacks),
        "eagerly": tf.config.functions_run_eagerly(),
        "traces": len(transform.CONCRETE_FUNCTION_CALLBACKS),
        "profile": getattr(threading, "_profile_hook", None) is None and sys.getprofile() is None,
        "modules": [
            id(structured_function.def_function),
            id(control_flow_ops.def_function),
            id(record.record_operation),
        ],
        "ends": [id(os._exit), id(os.abort), id(sys.excepthook)],
        "finders": len(sys.meta_path),
        "threads": sorted(thread.name for thread in threading.enumerate()),
    }


def ours():
    """Whether a frame of tapeinspect is on the stack of an op of a backward pass."""
    from tensorflow.python.framework import op_callbacks

    files = set()

    def on_op(op_type, inputs, attrs, outputs, op_name=None, graph=None):
        frame = sys._getframe(1)
        while frame is not None:
            files.add(frame.f_code.co_filename)
            frame = frame.f_back

    x = tf.constant([1.0, 2.0])
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = tf.reduce_sum(tf.tanh(x) * x + x)
    op_callbacks.add_op_callback(on_op)
    tape.gradient(y, x)
    op_callbacks.remove_op_callback(on_op)
    return any(path.endswith("probe/backward.py") for path in files)


w = tf.Variable([1.0, 2.0], name="w")
eager = []


@tf.function
def train_step(x):
    eager.append(tf.executing_eagerly())
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(w * x)
    w.assign_sub(0.1 * tape.gradient(loss, w))
    return loss


before = state()
train_step(tf.ones((2,)))
with tapeinspect.record(path) as written:
    inside = state()
    train_step(tf.ones((2,)))
    train_step(tf.ones((2,)) * 2.0)
after = state()
eager.append("after")
train_step(tf.ones((2,)) * 3.0)
train_step(tf.ones((3,))[:2])
truth.tell(
    before=before, after=after, inside=inside, eager=eager, same_path=str(written) == os.path.realpath(path)
)

# again, and with an exception

raised = None
try:
    with tapeinspect.record(path + ".2", mode="graph", values="full", source=False):
        train_step(tf.ones((2,)))
        truth.tell(ours_inside=ours())
        raise KeyError("mine")
except KeyError as error:
    raised = error.args[0]
truth.tell(raised=raised, after_error=state(), ours_after=ours())


def summary(name):
    reader = tapeinspect.open_trace(name)
    try:
        return {
            "steps": [step.function for step in reader.steps()],
            "ops": reader.counts.ops,
            "errors": [error.type for error in reader.errors()],
            "probe": [error.detail for error in reader.probe_errors()],
            "complete": reader.meta.complete,
            "mode": reader.meta.mode,
            "sources": [file.path for file in reader.files() if file.source],
        }
    finally:
        reader.close()


truth.tell(first=summary(path), second=summary(path + ".2"))

# a size that is kept to

limit = 4 << 20
with tapeinspect.record(path + ".3", values="full", max_size=limit):
    for batch in range(120):
        with tf.GradientTape() as tape:
            noise = tf.random.stateless_uniform((64, 64), (batch, 0))
            loss = tf.reduce_sum(noise * w[0])
        tape.gradient(loss, w)
reader = tapeinspect.open_trace(path + ".3")
ops = [reader.op(op) for op in range(1, reader.counts.ops + 1)]
made = [op for op in ops if op.row.type == "StatelessRandomUniformV2"]
truth.tell(
    limit=limit,
    size=os.path.getsize(path + ".3"),
    steps=len(reader.steps()),
    gradients=reader.counts.gradients,
    kept=[reader.value(op.outputs[0].id) is not None for op in made],
)
reader.close()

# tensors kept alive, never more than allowed

from tapeinspect.link.messages import Config, Tick  # noqa: E402
from tapeinspect.probe.boot import Probe  # noqa: E402

held = []


class Listener:
    def send(self, message):
        if isinstance(message, Tick):
            held.append(message.held)

    def serve(self, recorder, gone):
        pass


budget = 300_000
probe = Probe(Config(path + ".4", -1, memory=budget), Listener())
probe.begin()
for batch in range(30):
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(tf.fill((100, 100), 1.0 + batch) * w[0])
    tape.gradient(loss, w)
tf.fill((1000, 1000), 1.0)
tf.reduce_sum(tf.ones((3,)))
probe.end(None)
truth.tell(budget=budget, held=held)

# variables read together

from tapeinspect.probe import tf_variables  # noqa: E402

variables = [tf.Variable(value) for value in ([1.0, 2.0], [3], [[True]], [4.0])]
with tf.GradientTape() as tape:
    read = tf_variables.read_variables([(v.handle, v.dtype) for v in variables])
    own = [v.read_value() for v in variables]
shared = [np.shares_memory(a._numpy_internal(), b._numpy_internal()) for a, b in zip(read, own, strict=True)]
empty = tf.raw_ops.VarHandleOp(dtype=tf.float32, shape=[2])
partly = tf_variables.read_variables([(w.handle, w.dtype), (empty, tf.float32)])
truth.tell(
    read=[value.numpy().tolist() for value in read], shared=shared, partly=[value is None for value in partly]
)
truth.say()
