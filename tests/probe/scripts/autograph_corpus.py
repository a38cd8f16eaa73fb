"""Traces one function for each documented construct of AutoGraph, and prints what TensorFlow itself says of each.

The recorder's own work is called directly, so that one process does for many functions.
"""

# ruff: noqa: E731, SIM108

import functools
import importlib
import inspect
import os
import random
import sys
import traceback
from pathlib import Path

import numpy as np
import tensorflow as tf
import truth

from tapeinspect.link.messages import Config
from tapeinspect.probe import tf_autograph
from tapeinspect.probe.autograph import work as autograph_work
from tapeinspect.probe.boot import Probe
from tapeinspect.probe.errands import standing_still
from tapeinspect.probe.step_function import StepFunction

VALUE = tf.constant([1.0, 2.0, 3.0])
LOG = []


def if_tensor(x):
    if tf.reduce_sum(x) > 0:
        y = x * 2.0
    else:
        y = -x
    return y


def if_python(x, training=True):
    if training:
        y = x * 2.0
    else:
        y = -x
    return y


def while_tensor(x):
    while tf.reduce_sum(x) < 100.0:
        x = x * 2.0
    return x


def while_python(x):
    n = 0
    while n < 4:
        x = x + 1.0
        n += 1
    return x


def for_tensor(x):
    total = 0.0
    for value in x:
        total += value
    return total


def for_range(x):
    for i in tf.range(3):
        x = x + tf.cast(i, tf.float32)
    return x


def for_python(x):
    for i in range(5):
        x = x * float(i)
    return x


def for_dataset(x):
    total = 0.0
    for value in tf.data.Dataset.range(3):
        total += tf.cast(value, tf.float32)
    return x + total


def loop_jumps(x):
    for i in tf.range(10):
        if i > 5:
            break
        if i == 2:
            continue
        x = x + 1.0
    return x


def python_jumps(x):
    for i in range(10):
        if i > 5:
            break
        if i == 2:
            continue
        x = x + 1.0
    return x


def early_return(x):
    if tf.reduce_sum(x) > 0:
        return x
    return -x


def logic_tensor(x):
    a = tf.reduce_sum(x) > 0
    b = tf.reduce_max(x) < 9.0
    return (a and b), (a or b), (not a)


def logic_in_a_line(x, flag=True, n=3):
    a, b = tf.reduce_sum(x) > 0, tf.reduce_sum(x) < 9
    both = (a and b) or (flag and n < 5)
    nots = not a, not flag
    choices = x if a else -x, (1 if n > 5 else 2) if flag else 3
    return both, nots, choices, x[0] < 7.0 or n < 7, flag or (flag and n)


def logic_python(x, flag=True):
    a = flag and x is not None
    b = not flag
    return x if a or b else -x


def ternary(x):
    return x if tf.reduce_sum(x) > 0 else -x


def asserts(x):
    assert x.shape.rank == 1
    return x


def python_effects(x):
    LOG.append(1)
    print("in the trace")
    return x


def grown(x):
    values = tf.zeros((0,))
    for i in tf.range(3):
        tf.autograph.experimental.set_loop_options(shape_invariants=[(values, tf.TensorShape([None]))])
        values = tf.concat([values, tf.cast(i, tf.float32)[None]], axis=0)
    return x, values


def defined_in_loop(x):
    for i in tf.range(3):
        last = tf.cast(i, tf.float32)
    return x + last


def lambdas_in_a_line(x):
    first, _second = lambda v: v * 2.0, lambda v: v + 1.0 if v[0] < 9.0 else v
    third = (lambda v: -v, lambda v: abs(v) if x.shape[0] > 1 else v)[1]
    return first(x), third(x), tf.map_fn(lambda v: v * v, x), (lambda v: v)(x)


def inner_functions(x):
    twice = lambda v: v * 2.0

    def below(v):
        if v < 0:
            return -v
        return v

    return twice(x), below(tf.reduce_sum(x)), [x * k for k in range(2)]


def comparisons(x):
    s = tf.reduce_sum(x)
    return s < 1.0, s >= 1.0, s == 2.0, s != 2.0, 0.0 < s < 3.0


class Scale:
    def __init__(self, by):
        self.by = by

    def __call__(self, x):
        return x * self.by

    def method(self, x):
        for _ in range(2):
            x = self(x)
        return x


@tf.autograph.experimental.do_not_convert
def untouched(x):
    return x + 1.0


@tf.function
def own_graph(x):
    if tf.reduce_sum(x) > 0:
        return x
    return -x


@functools.lru_cache
def cached(n):
    return n


def generator(x):
    yield x


namespace = {}
exec("def dynamic(x):\n    return x", namespace)
dynamic = namespace["dynamic"]
scale = Scale(2.0)
layer = tf.keras.layers.Dense(2)
layer.build((1, 3))


def calls(x):
    y = untouched(x) + own_graph(x) + cached(1) + next(generator(x)) + dynamic(x) + scale.method(x)
    other = Scale(np.float32(1.0))
    return layer(y[None]), len([1]), other.by, tf.map_fn(lambda v: v + 1.0, y)


def returns_object(x):
    return Scale(x)


def fails(x):
    y = helper_of_failure(x)
    return unreached(y)


def helper_of_failure(x):
    z = x + 1.0
    return z.numpy()


def unreached(x):
    return x


def fails_on_bool(x):
    return bool(tf.reduce_sum(x) > 0)


def one_branch(x):
    if tf.reduce_sum(x) > 0:
        y = x
    return y


TRACED = (
    *(if_tensor, if_python, while_tensor, while_python, for_tensor, for_range, for_python, for_dataset),
    *(
        loop_jumps,
        python_jumps,
        early_return,
        logic_tensor,
        logic_python,
        logic_in_a_line,
        ternary,
        asserts,
        python_effects,
    ),
    *(
        python_effects,
        grown,
        defined_in_loop,
        inner_functions,
        lambdas_in_a_line,
        comparisons,
        scale.method,
        calls,
    ),
    *(fails, fails_on_bool, one_branch, returns_object),
)
"""Each is traced with one tensor."""


def script_functions():
    """The functions of `tests/scripts`, of modules that can be imported without training."""
    folder = Path(__file__).parents[2] / "scripts"
    sys.path.insert(0, str(folder))
    for name in ("parts.steps",):
        module = importlib.import_module(name)
        yield from (f for f in vars(module).values() if inspect.isfunction(f))


def layer_calls():
    """`call` of Keras' layers, as far as they have one of their own."""
    for name, cls in sorted(vars(tf.keras.layers).items()):
        if isinstance(cls, type) and "call" in vars(cls):
            yield name, vars(cls)["call"]


def compared(function):
    """What tapeinspect makes of a function and what TensorFlow does; None where TensorFlow cannot convert it."""
    try:
        code = tf.autograph.to_code(function)
        graph = tf.autograph.to_graph(function)
    except Exception:
        return None
    first = inspect.getsourcelines(graph)[1]
    theirs = {
        place.lineno - first + 1: origin.loc.lineno
        for place, origin in graph.ag_source_map.items()
        if first <= place.lineno < first + code.count("\n") + 1
    }
    mine = tf_autograph.convert(function)
    return [mine.generated == code, mine.lines == theirs, len(theirs)]


def state():
    return [tf.random.get_global_generator().state.numpy().tolist(), np.random.get_state()[1][:4].tolist(),
            random.getstate()[1][:4], LOG[:], sys.gettrace() is None, tf.config.functions_run_eagerly()]  # fmt: skip


probe = Probe(Config(sys.argv[1], -1, argv=tuple(sys.argv)), None)
probe.begin()
recorder = probe.recorder
found, runs, own = {}, {}, {}
before = state()
try:
    for function in TRACED:
        target = StepFunction(
            0, function, (VALUE,), {}, getattr(function, "__func__", function).__code__, True
        )
        with standing_still(recorder):
            runs[function.__qualname__] = autograph_work.look_at(recorder, target)
        plain = getattr(function, "__func__", function)
        graph = tf.autograph.to_graph(plain)
        first = inspect.getsourcelines(graph)[1]
        own[function.__qualname__] = {
            "code": tf.autograph.to_code(plain),
            "map": {str(k.lineno - first + 1): v.loc.lineno for k, v in graph.ag_source_map.items()},
        }
    after = state()
    for name, function in layer_calls():
        found[name] = compared(function)
    for function in script_functions():
        found[function.__qualname__] = compared(function)
except BaseException:
    traceback.print_exc()
    os._exit(9)
probe.end(None)
truth.tell(
    runs=runs, own=own, compared={k: v for k, v in found.items() if v is not None}, before=before, after=after
)
truth.say()
