"""Steps to compile with XLA and to look at after Grappler, and what TensorFlow itself does with them."""

import json
import pathlib
import time

import tensorflow as tf

from tapeinspect.probe import tf_outputs
from tapeinspect.probe.autograph import watch_cost
from tapeinspect.probe.autograph.watch import Watch
from tapeinspect.probe.code import CodeTable
from tapeinspect.probe.diff import fetch
from tapeinspect.probe.diff.engine import Request, compare
from tapeinspect.probe.step_function import StepFunction

x = tf.constant([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
w = tf.Variable([[0.5], [-0.25], [0.125]], name="w")
tf.keras.utils.set_random_seed(0)
model = tf.keras.Sequential([  # wide enough that no two draws of its dropout keep the same units
    tf.keras.Input((3,)), tf.keras.layers.Dense(64, "relu"), tf.keras.layers.Dropout(0.5), tf.keras.layers.Dense(1),
])  # fmt: skip
optimizer = tf.keras.optimizers.Adam()
STEPS = {}


def step(function):
    STEPS[function.__name__] = function
    return function


def train(x):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.square(x @ w))
    w.assign_sub(0.1 * tape.gradient(loss, w))
    return loss


@step
def plain(x):
    return train(x)


@step
def keras_model(x):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.square(model(x, training=True)))
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
    return loss


@step
def loops(x):
    total = tf.constant(0.0)
    for row in x:
        if tf.reduce_sum(row) > 7.0:
            total += tf.reduce_sum(row * row)
    return train(x) + total


@step
def checks(x):
    tf.debugging.assert_less(x, 100.0)
    return train(tf.debugging.check_numerics(x, "x"))


@step
def prints(x):
    tf.print("loss", x)
    return train(x)


@step
def calls_python(x):
    y = tf.numpy_function(lambda v: v * 2, [x], tf.float32)
    return train(tf.ensure_shape(y, [2, 3]))


@step
def unsupported_in_branch(x):
    y = x
    if tf.reduce_sum(x) > 1.0:
        y = x + tf.cast(tf.reduce_sum(tf.histogram_fixed_width(x, [0.0, 9.0])), tf.float32)
    return train(y)


@step
def text(x):
    train(x)
    return tf.constant("done")


@step
def random(x):
    return train(x + tf.random.uniform(tf.shape(x)))


@step
def fails(x):
    return train(x).numpy()


bias = tf.Variable([0.5, 0.25], name="bias")
kernel = tf.Variable(tf.ones((3, 2)), name="kernel")


@step
def fused(x):
    with tf.GradientTape() as tape:
        y = tf.transpose(tf.transpose(x))
        scale = tf.constant(2.0) * tf.constant(3.0)
        h = tf.nn.relu(tf.nn.bias_add(tf.matmul(y, kernel), bias))
        loss = tf.reduce_sum(h) * scale
    bias.assign_sub(0.1 * tape.gradient(loss, bias))
    return tf.nn.relu(tf.nn.bias_add(tf.matmul(y + 1.0, tf.ones((3, 2))), tf.constant([1.0, 2.0])))


def outcome(name, function):
    variables = (w, bias, kernel, *model.variables, *optimizer.variables)
    before = [v.numpy().tobytes() for v in variables]
    result = compare(
        StepFunction(1, function, (x,), {}, function.__code__, True),
        Request(role, ops=False, xla=True, grappler=True),
    )
    lines = pathlib.Path(__file__).read_text("utf-8").splitlines()
    text = lambda spot: lines[spot.line - 1].strip() if spot else ""  # noqa: E731
    compiled = result.compiled
    return {
        "verdict": result.verdict,
        "notes": result.notes,
        "findings": [[f.rule, f.severity, text(f.spot), f.message, f.hint] for f in result.findings],
        "compiled": compiled and compiled.verdict,
        "seconds": compiled and [compiled.seconds, compiled.compile_seconds],
        "values": compiled and [[v.kind, v.name, v.distance.verdict] for v in compiled.values],
        "rewritten": result.rewritten is not None
        and [[r.change, r.type, r.into, text(r.spot)] for r in result.rewritten],
        "changed": [v.numpy().tobytes() for v in variables] != before,
    }


def op_rows(function):
    """The pairs of ops, as a comparison tells them: type, line, relation, shape, verdict, and what is said of one."""
    result = compare(StepFunction(1, function, (x,), {}, function.__code__, True), Request(role, costs=False))
    return [
        [p.op.type, p.op.line, p.relation, p.op.shape, j.distance and j.distance.verdict, p.why]
        for j in result.ops
        if (p := j.pair)
    ]


def both_ways(function):
    """The same with the values fetched from the traced graph, and with a trace for them alone; how many such traces."""
    made, watch = [], fetch.GraphWatch
    fetch.GraphWatch = lambda *given: made.append(given) or watch(*given)
    fetched, count = op_rows(function), len(made)
    tf_outputs.CAPABILITY = "not in this TensorFlow"
    watched = op_rows(function)
    tf_outputs.CAPABILITY, fetch.GraphWatch = "other_outputs", watch
    return fetched, count, watched, len(made) - count


def handed_on(net, rate, x):
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(net(x)) * rate
    return loss, tape.gradient(loss, net.trainable_variables)


def costs_with_objects():
    """Notes, time and memory of a step that is given a model and a number; how many traces for the values."""
    made, watch = [], fetch.GraphWatch
    fetch.GraphWatch = lambda *given: made.append(given) or watch(*given)
    result = compare(StepFunction(1, handed_on, (model, 0.5, x), {}, handed_on.__code__, True), Request(role))
    fetch.GraphWatch = watch
    return result.notes, result.traced_seconds, result.memory and result.memory.traced, len(made)


def watched_trace():
    """Seconds of this thread in which a step is traced, the same with AutoGraph watched, and what that is said to cost.

    The shortest of a few each.
    """

    def many(x):
        for _ in range(4):
            keras_model(x)
        return x

    plain, watched, told = [], [], []
    for _ in range(3):
        plain.append(seconds_in(lambda: tf.function(many).get_concrete_function(x)))
        watch = Watch(many.__code__, role)
        with watch.watching():
            watched.append(seconds_in(lambda: tf.function(many).get_concrete_function(x)))
        told.append(watch_cost.seconds_of(watch))
    return min(plain), min(watched), min(told)


def seconds_in(call):
    begun = time.thread_time()
    call()
    return time.thread_time() - begun


def compiles(function):
    """Whether TensorFlow compiles a function, and whether it then stops at a wrong value."""
    made = tf.function(function, jit_compile=True)
    try:
        made(x)
    except tf.errors.InvalidArgumentError:
        return False
    return True


def lets_through(function):
    """Whether a value that a check forbids passes it when it is compiled."""
    bad = x * float("nan") + 1000.0
    try:
        tf.function(function)(bad)
    except tf.errors.InvalidArgumentError:
        tf.function(function, jit_compile=True)(bad)
        return True
    return False


role = CodeTable(None, False).role
if __name__ == "__main__":
    optimizer.build(model.trainable_variables)
    found = {name: outcome(name, function) for name, function in STEPS.items()}
    really = {name: compiles(function) for name, function in STEPS.items() if name != "fails"}
    fetched = {name: both_ways(STEPS[name]) for name in ("plain", "keras_model", "loops", "checks")}
    truth = {"steps": found, "compiles": really, "lets_through": lets_through(checks), "fetched": fetched}
    print("TRUTH " + json.dumps({**truth, "objects": costs_with_objects(), "watched": watched_trace()}))
