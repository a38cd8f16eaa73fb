"""Steps with one thing each that does not survive tracing, and their near misses: looked at one by one.

Their subjects are those of TensorFlow's guide to tf.function (Python side effects, global and free variables, Python
iterators and generators, outputs that are no return values, recursion, values gathered in a loop, late variables,
printing) and of AutoGraph's reference of limitations, whose examples they follow (undefined and None values, indirect
modifications, Python collections in control flow, dynamic keys, shape and dtype consistency, static shapes).

`RULE name` in the comment behind a line says what must be found on it; every other line must be free of findings.
"""

import datetime
import logging
import random
import sys
import tempfile
import time
from collections import Counter, defaultdict, deque

import numpy as np
import tensorflow as tf

logging.disable(logging.CRITICAL)
STEPS = []
X = tf.constant([[1.0, 2.0], [3.0, 4.0]])
CONSTANT = tf.constant([[7.0]])
W = tf.Variable([[0.5], [0.25]], name="w")


def step(*args):
    def add(function):
        STEPS.append((function, args or (X,)))
        return function

    return add


class Bag:
    """Objects with attributes."""

    def __init__(self):
        self.counter = 0
        self.history = []
        self.last = None
        self.rate = 0.1


class Knobs:
    """Numbers that the loop at the end turns between the steps."""

    def __init__(self):
        self.rate = self.momentum = self.fixed = self.reset = 0.5

    def cool(self):
        self.momentum = self.momentum * 0.9

    def start(self):
        self.reset = 0.5


BAG = Bag()
KNOBS = Knobs()
HISTORY = []
STATS = {}
SEEN = set()
RECENT = deque(maxlen=3)
COUNTS = Counter()
TOTALS = defaultdict(float)
TOTAL = 0
RATE = 0.1
SCALE = 2.0
TABLE = np.ones(2, np.float32)
MASK = np.ones(2, np.float32)
ITEMS = iter(range(1000))
LOG = tempfile.TemporaryFile("w+")  # noqa: SIM115
LAYERS = [tf.Variable(1.0), tf.Variable(2.0)]
DATASET = tf.data.Dataset.from_tensors(X).repeat()
BATCHES = iter(DATASET)
RNG = np.random.default_rng(0)


@step()
def appends(x):
    loss = tf.reduce_mean(x @ W)
    HISTORY.append(loss)  # RULE python-leak
    HISTORY.append(1)  # RULE python-side-effect
    return loss


@step()
def other_containers(x):
    STATS["calls"] = STATS.get("calls", 0) + 1  # RULE python-side-effect
    SEEN.add(len(SEEN))  # RULE python-side-effect
    RECENT.append(1)  # RULE python-side-effect
    COUNTS.update(["a"])  # RULE python-side-effect
    TOTALS["a"] += 1.0  # RULE python-side-effect
    STATS["loss"] = tf.reduce_mean(x)  # RULE python-leak
    return x


@step()
def attributes(x):
    BAG.counter += 1  # RULE python-side-effect
    BAG.history.append(3)  # RULE python-side-effect
    BAG.last = tf.reduce_sum(x)  # RULE python-leak
    BAG.rate = 0.1
    return x


@step()
def globals_written(x):
    global TOTAL
    TOTAL += 1  # RULE python-side-effect
    return x


def with_outer_variable():
    count = 0

    def outer_written(x):
        nonlocal count
        count += 1  # RULE python-side-effect
        return x * 2.0

    return outer_written


step()(with_outer_variable())


@step()
def prints(x):
    print("loss", tf.reduce_sum(x))  # RULE python-print
    logging.warning("loss %s", x)  # RULE python-print
    tf.print("fine", output_stream=sys.stderr)
    return x


@step()
def writes_files(x):
    LOG.write("loss\n")  # RULE python-file-write
    return x


@step()
def random_numbers(x):
    noise = np.random.normal(size=2)  # RULE frozen-random
    if random.random() > 0.5:  # RULE frozen-random
        x = x + 1.0
    x = x + RNG.uniform()  # RULE frozen-random
    return x + noise + tf.random.uniform([2])


@step()
def clocks(x):
    started = time.time()  # RULE frozen-time
    day = datetime.datetime.now().day  # RULE frozen-time
    return x * (started + day) + tf.cast(tf.timestamp(), tf.float32)


@step()
def frozen_values(x):
    return x * RATE * SCALE  # RULE frozen-value


@step()
def frozen_arrays(x):
    return x * TABLE * MASK  # RULE frozen-value


PREPARED = np.ones(2, np.float32)
PREPARED = PREPARED - PREPARED.mean()
PREPARED /= 2.0
for place in range(2):
    PREPARED[place] += 1.0


@step()
def prepared_arrays(x):
    return x * PREPARED


@step()
def frozen_attributes(x):
    x = x * KNOBS.rate  # RULE frozen-value
    x = x * KNOBS.momentum  # RULE frozen-value
    return x * KNOBS.fixed * KNOBS.reset


def change():
    global RATE
    RATE = RATE * 0.5
    MASK[0] = 0.0


def with_outer_number():
    scale = 1.0
    fixed = 3.0

    def outer_number(x):
        return x * scale * fixed  # RULE frozen-value

    def decay():
        nonlocal scale
        scale *= 0.5

    return outer_number, decay


step()(with_outer_number()[0])


@step()
def iterators(x):
    return x * next(ITEMS) + next(BATCHES)  # RULE python-iterator


@step()
def loops_of_the_graph(x):
    outputs = []
    array = tf.TensorArray(tf.float32, 3)
    for i in tf.range(3):
        outputs.append(1.0)  # RULE python-in-graph-loop
        array = array.write(i, tf.cast(i, tf.float32))
    for layer in LAYERS:
        outputs.append(layer * 2.0)
    return array.stack(), outputs[-1]


@step()
def while_loops_of_the_graph(x):
    steps = []
    while tf.reduce_sum(x) < 100.0:
        inside = []
        inside.append(x)
        x = x * 2.0
        steps.append(1)  # RULE python-in-graph-loop
    return x


@step()
def branches_of_the_graph(x):
    chosen = []
    if tf.reduce_sum(x) > 0.0:
        chosen.append(1)  # RULE python-under-condition
        y = x
    else:
        y = -x
    return y


@tf.autograph.experimental.do_not_convert
def not_converted(x):
    print("loss")  # RULE python-print
    BAG.counter += 1  # RULE python-side-effect
    noise = random.random()  # RULE frozen-random
    return x + noise


@step()
def calls_unconverted(x):
    return not_converted(x)


@step()
def numpy_fails(x):
    loss = tf.reduce_mean(x)
    HISTORY.append(loss.numpy().mean())  # RULE eager-only-numpy
    assert loss > 0.0  # RULE assert-on-tensor
    best = max(loss, 1.0)  # RULE builtin-on-tensor
    big = [v for v in tf.unstack(x) if tf.reduce_sum(v) > 1.0]  # RULE comprehension-on-tensor
    if loss > 100.0:
        best = loss
    while loss > 100.0:
        loss = loss - 1.0
    print("best", best)  # RULE python-print
    BAG.counter += 1  # RULE python-side-effect
    BAG.last = best  # RULE python-leak
    noise = random.random()  # RULE frozen-random
    text = f"{loss:.3f}"  # RULE eager-only-format
    total = np.sum(loss)  # RULE eager-only-numpy
    return best + len(big) + len(text) + total + noise + CONSTANT.numpy()[0, 0]


@step()
def exceptions(x):
    try:
        y = tf.linalg.inv(x)
    except tf.errors.InvalidArgumentError:  # RULE exception-control-flow
        y = tf.eye(2)
    try:
        number = int("x")
    except (ValueError, KeyError):
        number = 0
    return y * number


@step()
def assert_fails(x):
    assert tf.reduce_sum(x) > 0.0  # RULE assert-on-tensor
    return x


@step()
def max_fails(x):
    return max(tf.reduce_sum(x), tf.reduce_mean(x))  # RULE builtin-on-tensor


@step()
def sum_fails(x):
    return sum(x)  # RULE builtin-on-tensor


@step()
def comprehension_fails(x):
    return [row * 2.0 for row in x]  # RULE comprehension-on-tensor


@step()
def unpacking_fails(x):
    first, second = x  # RULE iteration-over-tensor
    return first + second


@step()
def membership_fails(x):
    return tf.reduce_sum(x) in [1.0, 2.0]  # RULE membership-of-tensor


@step()
@tf.autograph.experimental.do_not_convert
def condition_fails(x):
    if tf.reduce_sum(x) > 0.0:  # RULE python-condition-on-tensor
        return x
    return -x


@step()
def raise_fails(x):
    if tf.reduce_sum(x) > 1e9:
        raise ValueError("too large")  # RULE raise-under-condition
    return x


@step()
def undefined_fails(x):
    if tf.reduce_sum(x) > 0.0:  # RULE undefined-in-branch
        y = x
    return y


@step()
def none_fails(x):
    if tf.reduce_sum(x) > 0.0:  # RULE none-in-branch  # noqa: SIM108
        y = x
    else:
        y = None
    return x if y is None else y


@step()
def dtype_fails(x):
    if tf.reduce_sum(x) > 0.0:  # RULE type-changes  # noqa: SIM108
        y = tf.ones(2)
    else:
        y = tf.ones(2, tf.int32)
    return y


@step()
def return_fails(x):
    for i in range(3):
        if tf.reduce_sum(x) > 100.0:  # RULE return-in-one-branch
            return i
    return -1


@step()
def shape_fails(x):
    while tf.reduce_sum(x) < 100.0:  # RULE shape-changes
        x = tf.concat([x, x], 0)
    return x


@step()
def index_fails(x):
    if tf.shape(x)[0] > 4:  # noqa: SIM108
        y = x[4]  # RULE static-index
    else:
        y = x[0]
    return y


@step()
def loop_variable(x):
    while tf.reduce_sum(x) < 100.0:
        y = x
        x = x * 2.0
    return y


@step()
def dynamic_key_fails(x):
    sums = {"a": tf.constant(0.0), "b": tf.constant(1.0)}
    for row in x:
        for key in sums:
            sums[key] += tf.reduce_sum(row)
    return sums["a"] + 1.0  # RULE leaked-tensor


@step()
def variable_fails(x):
    v = tf.Variable(2.0)  # RULE variable-creation
    return x * v


@step()
def format_fails(x):
    return x, "%.3f" % tf.reduce_sum(x)  # RULE eager-only-format  # noqa: UP031


@step()
def numpy_call_fails(x):
    return np.log(x)  # RULE eager-only-numpy


@step()
def leak_fails(x):
    y = x
    kept = []
    for _ in tf.range(3):
        y = y * 2.0
        kept.append(y)  # RULE python-in-graph-loop
    return kept[-1] + 1.0  # RULE leaked-tensor


class Walker:
    def __init__(self):
        self.steps = 0
        self.size = 1.0

    def advance(self):
        self.steps += 1  # RULE hidden-change
        self.size = 1.0


@step()
def hidden_changes(x):
    walker = Walker()
    other = Walker()
    while tf.reduce_sum(x) < 100.0:
        walker.advance()
        inside = Bag()
        inside.counter += 1
        other.size = other.size * 2.0
        x = x * 2.0
    return x


class Lazy(tf.Module):
    def __init__(self):
        super().__init__()
        self.v = None
        self.layers = []

    def __call__(self, x):
        if self.v is None:
            self.v = tf.Variable(2.0)
        return x * self.v

    def train(self, x):
        parts = [layer for layer in LAYERS]  # noqa: C416
        largest = max(len(parts), 3)
        assert largest > 1, "python values"
        names = sorted(["b", "a"])
        if all(name for name in names) and 0 < largest < 10:
            x = x + 1.0
        settings = {"a": 1}
        settings["b"] = 2
        settings.update(c=3)
        local = Bag()
        local.counter += 1
        local.history.append(x)
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(self(x) @ W)
        W.assign_sub(0.0 * tape.gradient(loss, W))
        tf.debugging.assert_greater(loss, -1e9)
        for i in range(2):
            x = x + float(i)
        i = tf.constant(0)
        while i < 3:
            i += 1
        if loss > 0.0 and loss < 5.0:
            x = -x
        noise = tf.random.normal([2])
        value = tf.py_function(lambda v: HISTORY.append(float(v)) or v, [loss], tf.float32)
        x = x * SCALE * TABLE
        x = x + int(3.7) + float(2)
        total = sum([loss, loss])
        return x + noise + value + total + sum(settings.values())


step()(Lazy().train)


@step(X, True, {"a": X, "n": 3})
def healthy(x, training, batch):
    outputs = []
    for _ in range(batch["n"]):
        outputs.append(batch["a"] * 2.0)
    first, *rest = outputs
    pair = (x, x)
    a, b = pair
    text = f"{x}" if training else "no"
    for value in [1.0, 2.0]:
        a = a + value
    return tf.add_n([first, *rest, a, b]) + float(len(text) > 0) + CONSTANT.numpy()[0, 0]


if __name__ == "__main__":
    from tapeinspect.link.messages import Config
    from tapeinspect.probe.autograph import work as autograph_work
    from tapeinspect.probe.errands import standing_still
    from tapeinspect.probe.recorder import Recorder
    from tapeinspect.probe.step_function import StepFunction
    from tapeinspect.trace.writer import TraceWriter

    writer = TraceWriter(sys.argv[1])
    recorder = Recorder(Config(sys.argv[1], -1), writer, None)
    before = [repr(BAG.__dict__), repr(HISTORY), repr(STATS), TOTAL, W.numpy().tolist(), random.getstate()]
    with standing_still(recorder):
        for number, (function, args) in enumerate(STEPS, 1):
            KNOBS.rate *= 0.9
            KNOBS.cool()
            KNOBS.start()
            code = getattr(function, "__wrapped__", function).__code__
            autograph_work.look_at(recorder, StepFunction(number, function, args, {}, code, True))
    after = [repr(BAG.__dict__), repr(HISTORY), repr(STATS), TOTAL, W.numpy().tolist(), random.getstate()]
    recorder.finish(lambda: None)
    recorder.close(True)
    import json

    print("TRUTH " + json.dumps({"steps": len(STEPS), "untouched": before == after}))
