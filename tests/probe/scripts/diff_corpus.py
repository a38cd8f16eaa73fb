"""Steps that are told apart when traced, each with the verdict it must get, and near misses that are the same.

Most are gotchas from TensorFlow's guides to tf.function and AutoGraph. Prints what the comparison says of each.
"""

import collections
import json
import pathlib
import random
import sys
import time

import numpy as np
import tensorflow as tf

from tapeinspect.probe.code import CodeTable
from tapeinspect.probe.diff.engine import Request, compare
from tapeinspect.probe.step_function import StepFunction

CASES = {}
x = tf.random.stateless_normal([8, 4], [3, 4])
w = tf.Variable(tf.random.stateless_normal([4, 1], [1, 2]), name="w")
history, table, seen = [], {}, set()
counter, rate, scale = 0, 0.1, 2.0
batches = (tf.constant(float(i)) for i in range(100))
rows = [1.0, 2.0, 3.0]
log = open(sys.argv[1], "w")  # noqa: SIM115


def case(verdict, *rules, line=None):
    """What the comparison must say; line: a piece of the line that the first rule names."""

    def register(function):
        CASES[function.__name__] = (function, verdict, rules, line)
        return function

    return register


def train(x, rate=0.1):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean((x @ w) ** 2)
    w.assign_sub(rate * tape.gradient(loss, w))
    return loss


@case("same")
def plain(x):
    return train(x)


@case("fails_to_trace", "eager-only-call", line="loss_value.numpy()")
def tutorial(x):
    loss_value = train(x)
    history.append(loss_value.numpy().mean())
    return loss_value


@case("different", "leaked-tensor", line="history.append(")
def tutorial_mended_half(x):
    loss_value = train(x)
    history.append(tf.reduce_mean(loss_value))
    return loss_value


@case("same")
def tutorial_mended(x):
    loss_value = train(x)
    return tf.reduce_mean(loss_value)


@case("different", "python-side-effect", line="history.append(1)")
def appends_number(x):
    history.append(1)
    return train(x)


@case("different", "python-side-effect", line="counter += 1")
def counts(x):
    global counter
    counter += 1
    return train(x)


@case("different", "python-side-effect", line="table[len")
def fills_dict(x):
    table[len(table)] = 1
    return train(x)


@case("different", "python-print", line="print(")
def prints(x):
    print("training")
    return train(x)


@case("same")
def tf_prints(x):
    tf.print("training")
    return train(x)


@case("different", "python-side-effect", line="log.write")
def writes_file(x):
    log.write("a line\n")
    return train(x)


@case("different", "frozen-random", line="np.random")
def numpy_random(x):
    return train(x) * np.random.rand()


@case("different", "frozen-random", line="random.random")
def python_random(x):
    return train(x) * random.random()


@case("same")
def tensorflow_random(x):
    noise = (
        tf.random.uniform([])
        + tf.random.normal([3], seed=5)[0]
    )  # fmt: skip
    return train(x) * noise + tf.reduce_sum(tf.nn.dropout(x, 0.5))


@case("same")
def random_in_loops(x):
    total = train(x)
    for _ in tf.range(4):
        total += tf.random.normal([])
    for _ in range(3):
        total += tf.random.normal([])
    return total


@case("different", "frozen-value", "python-side-effect")
def decays_python_rate(x):
    global rate
    rate = rate * 0.5
    return train(x, rate)


@case("same")
def reads_global(x):
    return train(x) * scale


decayed = tf.Variable(0.1)


@case("same")
def decays_variable(x):
    decayed.assign(decayed * 0.5)
    return train(x, decayed)


@case("fails_to_trace", "late-variable", line="tf.Variable(1.0)")
def creates_variable(x):
    made = tf.Variable(1.0)
    return train(x) * made


class Lazy:
    made = None


@case("same")
def creates_once(x):
    if Lazy.made is None:
        Lazy.made = tf.Variable(1.0)
    return train(x) * Lazy.made


creates_once(x)


@case("fails_to_trace", "type-changes")
def changes_type(x):
    total = 0
    for _ in tf.range(3):
        total = total + 0.5
    return train(x) + total


@case("fails_to_trace", "type-changes")
def changes_shape(x):
    grown = tf.zeros([1])
    for _ in tf.range(3):
        grown = tf.concat([grown, [1.0]], 0)
    return train(x) + tf.reduce_sum(grown)


@case("fails_to_trace", "undefined-in-branch")
def undefined_in_branch(x):
    if tf.reduce_sum(x) > -1e9:
        q = tf.constant(1.0)
    return train(x) * q


@case("same")
def defined_in_both(x):
    if tf.reduce_sum(x) > 0:  # noqa: SIM108 (AutoGraph converts the statement)
        q = tf.constant(1.0)
    else:
        q = tf.constant(2.0)
    return train(x) * q


@case("fails_to_trace", "python-assert", line="assert loss")
def asserts_tensor(x):
    loss = train(x)
    assert loss > -1
    return loss


@case("same")
def asserts_shape(x):
    assert x.shape[1] == 4
    tf.debugging.assert_greater(tf.reduce_sum(x * x), 0.0)
    return train(x)


@case("different", "python-iterator", line="next(batches)")
def takes_next(x):
    return train(x) * next(batches)


def factorial(n):
    if n <= 1:
        return tf.constant(1)
    return n * factorial(n - 1)


@case("same")
def recursion_in_python(x):
    return train(x) + tf.cast(factorial(4), tf.float32)


@case("fails_to_trace", "recursion")
def recursion_on_tensor(x):
    return train(x) + tf.cast(factorial(tf.constant(4)), tf.float32)


@case("same")
def loops(x):
    h, i = x, tf.constant(0)
    while i < 3:
        h = tf.tanh(h) * 1.5
        i += 1
    if tf.reduce_mean(h) > 0.1:
        h = h * 0.5
    for row in rows:
        h = h + row
    return train(h)


@case("same")
def loop_with_gradient(x):
    with tf.GradientTape() as tape:
        h = x @ w
        for _ in tf.range(3):
            h = tf.tanh(h) * 1.5
        loss = tf.reduce_mean(h**2)
    w.assign_sub(0.1 * tape.gradient(loss, w))
    return loss


@case("same")
def converts_to_float(x):
    return float(train(x))


@case("fails_to_trace", "numpy-in-graph", line="np.asarray")
def converts_to_numpy(x):
    return train(x) * np.asarray(tf.reduce_sum(x))


@case("same")
def python_in_py_function(x):
    def note(value):
        history.append(float(value))
        return value

    return tf.numpy_function(note, [train(x)], tf.float32)


@tf.function
def inner(x):
    return tf.reduce_sum(x)


@case("same")
def calls_function(x):
    return train(x) + inner(x)


@case("same")
def returns_all_sorts(x):
    return {"loss": train(x), "more": [None, 3, "text", (1.5, True)]}


model = tf.keras.Sequential(
    [
        tf.keras.layers.Dense(8, activation="relu"),
        tf.keras.layers.Dropout(0.3),
        tf.keras.layers.BatchNormalization(),
        tf.keras.layers.Dense(1),
    ]
)
optimizer, metric = tf.keras.optimizers.Adam(), tf.keras.metrics.Mean()


@case("same")
def keras_model(x):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(model(x, training=True) ** 2)
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
    metric.update_state(loss)
    return {"loss": loss, "mean": metric.result()}


keras_model(x)
embedding = tf.Variable(tf.random.stateless_normal([10, 4], [5, 6]), name="embedding")


@case("same")
def sparse_gradient(x):
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(tf.nn.embedding_lookup(embedding, [1, 3, 3]) ** 2)
    gradient = tape.gradient(loss, embedding)
    embedding.scatter_sub(tf.IndexedSlices(0.1 * gradient.values, gradient.indices))
    return loss


class Trainer(tf.Module):
    total = 0

    def __init__(self):
        self.calls = 0
        self.history = []
        self.w = tf.Variable(1.0)

    def step(self, x):
        self.calls += 1
        self.history.append(self.calls)
        Trainer.total += 1
        return train(x) * self.w


trainer = Trainer()
CASES["method"] = (trainer.step, "different", ("python-side-effect",) * 3, "self.calls += 1")


@case("different", "different-values", line="tf.reduce_sum(x) * 2.0")
def asks_how_it_runs(x):
    if tf.executing_eagerly():
        return train(x) + tf.reduce_sum(x)
    return train(x) + tf.reduce_sum(x) * 2.0


def how():
    return 1.0 if tf.executing_eagerly() else 1.5


@case("different", "different-values", line="y = y * factor")
def wrong_noise(x):
    factor = how()
    y = x + 1.0
    y = y * factor
    return train(y)


def state():
    """All that a step may have changed, as bytes."""
    log.flush()
    variables = [
        w,
        decayed,
        embedding,
        trainer.w,
        Lazy.made,
        *model.variables,
        *optimizer.variables,
        *metric.variables,
    ]
    python = [
        history,
        table,
        counter,
        rate,
        seen,
        trainer.calls,
        list(trainer.history),
        Trainer.total,
        random.getstate(),
        np.random.get_state(),
        sorted(vars(trainer)),
        log.tell(),
        tf.config.functions_run_eagerly(),
        inner.experimental_get_tracing_count(),
        sorted(name for name in globals() if name not in ("name", "before")),
    ]
    return [repr(part) for part in (*(v.numpy().tobytes() for v in variables), *python)]


def outcome(name, function):
    """What the comparison says of one case."""
    before, begun = state(), time.perf_counter()
    step = StepFunction(1, function, (x,), {}, function.__code__, True)
    result = compare(step, Request(role))
    after = state()
    lines = pathlib.Path(__file__).read_text("utf-8").splitlines()
    relations = collections.Counter(op.pair.relation for op in result.ops)
    return {
        "name": name,
        "verdict": result.verdict,
        "findings": [
            [f.rule, f.severity, lines[f.spot.line - 1].strip() if f.spot else "", f.message, f.hint]
            for f in result.findings
        ],
        "relations": dict(relations),
        "alone": [
            f"{op.pair.relation} {op.pair.op.type}"
            for op in result.ops
            if op.pair.relation in ("eager", "traced")
        ],
        "values": [[v.kind, v.name, v.call, v.distance.verdict] for v in result.values],
        "notes": result.notes,
        "seconds": [
            result.eager_seconds,
            result.traced_seconds,
            result.trace_seconds,
            time.perf_counter() - begun,
        ],
        "first": result.first.pair.op.type if result.first else None,
        "changed": [f"{a} -> {b}" for a, b in zip(before, after, strict=True) if a != b],
        "expected": list(CASES[name][1:]),
    }


def stream(with_comparison):
    """Random numbers that the script draws before and after a comparison."""
    tf.random.set_seed(7)
    drawn = [tf.random.normal([2]).numpy().tolist(), tf.random.uniform([2], seed=3).numpy().tolist()]
    if with_comparison:
        compare(StepFunction(1, random_in_loops, (x,), {}, random_in_loops.__code__, True), Request(role))
        compare(StepFunction(1, tensorflow_random, (x,), {}, tensorflow_random.__code__, True), Request(role))
    return [*drawn, tf.random.normal([2]).numpy().tolist(), tf.random.uniform([2], seed=3).numpy().tolist()]


role = CodeTable(None, False).role
if __name__ == "__main__":
    found = [outcome(name, function) for name, (function, *_) in CASES.items()]
    print("TRUTH " + json.dumps({"cases": found, "streams": [stream(False), stream(True)]}))
