"""Small recordings of an invented training run, written through the real writer: the same every time."""

from __future__ import annotations

import json
import math
import random
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tapeinspect.trace.writer import TraceWriter

SOURCE = """import tensorflow as tf

model = tf.keras.Sequential([
    tf.keras.layers.Conv2D(16, 3, activation="relu"),
    tf.keras.layers.GlobalAveragePooling2D(),
    tf.keras.layers.Dense(10),
])
optimizer = tf.keras.optimizers.Adam()
loss_object = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
loss_history = []


def train_step(images, labels):
    with tf.GradientTape() as tape:
        logits = model(images, training=True)
        tf.debugging.assert_equal(logits.shape, (32, 10))
        loss_value = loss_object(labels, logits)
    loss_history.append(loss_value.numpy().mean())
    grads = tape.gradient(loss_value, model.trainable_variables)
    optimizer.apply_gradients(zip(grads, model.trainable_variables))


def train(epochs):
    for epoch in range(epochs):
        for images, labels in dataset:
            train_step(images, labels)


train(epochs=1)
"""
PATH = "/home/ada/mnist_eager.py"
MODEL, ASSERT, LOSS, NUMPY, GRADIENT, APPLY = range(1, 7)
_FRAMES = {
    MODEL: ("train_step", 15, 17, 45), ASSERT: ("train_step", 16, 8, 57), LOSS: ("train_step", 17, 21, 48),
    NUMPY: ("train_step", 18, 24, 42), GRADIENT: ("train_step", 19, 12, 63), APPLY: ("train_step", 20, 4, 67),
}  # fmt: skip
_TRAIN, _MODULE, _KERAS = 7, 8, 9
VARIABLES = (
    ("conv2d/kernel", (3, 3, 1, 16)), ("conv2d/bias", (16,)), ("dense/kernel", (16, 10)), ("dense/bias", (10,)),
)  # fmt: skip
# type, outputs' shape, place, recorded by the tape
_FORWARD = (
    ("ReadVariableOp", (3, 3, 1, 16), MODEL), ("Conv2D", (32, 26, 26, 16), MODEL),
    ("ReadVariableOp", (16,), MODEL), ("BiasAdd", (32, 26, 26, 16), MODEL), ("Relu", (32, 26, 26, 16), MODEL),
    ("Mean", (32, 16), MODEL), ("ReadVariableOp", (16, 10), MODEL), ("MatMul", (32, 10), MODEL),
    ("ReadVariableOp", (10,), MODEL), ("BiasAdd", (32, 10), MODEL), ("Equal", (2,), ASSERT), ("All", (), ASSERT),
    ("Cast", (32,), LOSS), ("SparseSoftmaxCrossEntropyWithLogits", (32,), LOSS), ("Mul", (32,), LOSS),
    ("Sum", (), LOSS), ("DivNoNan", (), LOSS),
)  # fmt: skip
_BACKWARD = (
    ("OnesLike", ()), ("DivNoNan", ()), ("Tile", (32,)), ("Mul", (32,)), ("Mul", (32, 10)), ("BiasAddGrad", (10,)),
    ("MatMul", (32, 16)), ("MatMul", (16, 10)), ("Tile", (32, 26, 26, 16)), ("ReluGrad", (32, 26, 26, 16)),
    ("BiasAddGrad", (16,)), ("Conv2DBackpropFilter", (3, 3, 1, 16)),
)  # fmt: skip


@dataclass
class Builder:
    """Keeps the ids while the recording is made."""

    writer: TraceWriter
    random: random.Random = field(default_factory=lambda: random.Random(7))
    op: int = 0
    tensor: int = 100
    time: int = 0
    kinds: dict[tuple[str, str], int] = field(default_factory=dict)
    events: int = 0
    gradient: int = 0

    def add(self, type: str, shape: tuple[int, ...], place: int, step: int | None, tape: int | None,
            inputs: list[int], bad: bool = False) -> int:  # fmt: skip
        """One op with one output; its tensor."""
        self.op += 1
        self.tensor += 1
        dtype = "bool" if type in ("Equal", "All") else "float32"
        outputs = json.dumps([[dtype, list(shape)]])
        if (type, outputs) not in self.kinds:
            self.kinds[type, outputs] = len(self.kinds) + 1
            attrs = (
                {"T": dtype, "strides": [1, 1, 1, 1], "padding": "VALID"}
                if type == "Conv2D"
                else {"T": dtype}
            )
            self.writer.insert("kind", [(self.kinds[type, outputs], type, json.dumps(attrs), outputs)])
        took = self.random.randrange(20_000, 90_000) * (40 if "Conv2D" in type else 1)
        self.time += took // 1000
        norm = (
            None
            if bad or dtype == "bool"
            else round(math.sqrt(math.prod(shape)) * self.random.uniform(0.2, 0.9), 6)
        )
        row = (self.op, step, self.kinds[type, outputs], place, 1, self.time, took, tape, json.dumps(inputs),
               self.tensor, norm)  # fmt: skip
        self.writer.insert("op", [row])
        if bad:
            self.writer.insert("health", [(self.tensor, self.op, 3, 0, None)])
        return self.tensor

    def event(self, tape: int, event: str, variable: int | None = None) -> None:
        """Something that happened to a tape."""
        self.events += 1
        self.writer.insert(
            "tape_event", [(self.events, tape, event, self.op, MODEL, self.time, None, variable)]
        )


def recording(path: Path, batches: int = 3, nan_at: int | None = None, error: bool = False,
              complete: bool = True, none: bool = False,
              more: Callable[[TraceWriter], None] | None = None) -> Path:  # fmt: skip
    """A recording of `batches` steps; `nan_at`: the batch whose loss is NaN; `error`: the script raised in the last;
    `more` writes further rows."""
    builder = Builder(TraceWriter(path))
    _header(builder.writer, complete, error)
    for step in range(1, batches + 1):
        _batch(builder, step, step == nan_at, none)
        builder.writer.commit()
    if error:
        frames = [
            {"file": PATH, "line": 29, "function": "<module>", "code": "train(epochs=1)", "user": True},
            {"file": PATH, "line": 26, "function": "train", "code": "train_step(images, labels)", "user": True},
            {"file": "/lib/keras/layer.py", "line": 12, "function": "__call__", "code": "…", "user": False},
            {"file": PATH, "line": 16, "function": "train_step",
             "code": "tf.debugging.assert_equal(logits.shape, (32, 10))", "user": True},
        ]  # fmt: skip
        message = (
            "Condition x == y did not hold.\nFirst 2 elements of x: [17 10]\nFirst 2 elements of y: [32 10]"
        )
        builder.writer.insert(
            "error", [(1, "InvalidArgumentError", message, PATH, 16, batches, json.dumps(frames))]
        )
    if more is not None:
        more(builder.writer)
    builder.writer.commit()
    builder.writer.close()
    return path


def _header(writer: TraceWriter, complete: bool, error: bool) -> None:
    writer.set_meta(
        format=1, script=PATH, argv=[PATH], cwd="/home/ada", tensorflow="2.21.0", keras="3.12.0", python="3.11.7",
        tapeinspect="0.1.0", mode="eager", values="health", pid=4711, started=1.7e9,
        exit_status=(1 if error else 0) if complete else None, overhead=1.08, complete=complete,
    )  # fmt: skip
    writer.insert("file", [(1, PATH, "user", SOURCE), (2, "/lib/keras/layer.py", "library", None)])
    writer.insert("thread", [(1, "MainThread")])
    for place, (function, line, col, end) in _FRAMES.items():
        writer.insert("frame", [(place, 1, function, line, line, col, end)])
    writer.insert("frame", [(_TRAIN, 1, "train", 26, 26, 12, 38), (_MODULE, 1, "<module>", 29, 29, 0, 15)])
    writer.insert("frame", [(_KERAS, 2, "__call__", 936, 936, None, None)])
    for place in _FRAMES:
        frames = (
            [_KERAS, place, _TRAIN, _MODULE] if place in (MODEL, LOSS, APPLY) else [place, _TRAIN, _MODULE]
        )
        writer.insert("stack", [(place, json.dumps(frames), place, 1, _FRAMES[place][1])])
    for i, (name, shape) in enumerate(VARIABLES, 1):
        writer.insert("variable", [(i, name, "variable", "float32", json.dumps(shape), 1, i)])


def _batch(builder: Builder, step: int, nan: bool, none: bool) -> None:
    writer, start, first = builder.writer, builder.time, builder.op + 1
    images = builder.tensor = builder.tensor + 1
    loss = math.nan if nan else round(2.3 * math.exp(-step / 9) + builder.random.uniform(0, 0.08), 4)
    builder.event(step, "enter")
    last, variable = images, 0
    for type, shape, place in _FORWARD:
        if type == "ReadVariableOp":
            variable += 1
            builder.event(step, "watch", variable)
            read = builder.add(type, shape, place, step, step, [variable])
            continue
        inputs = [last, read] if type in ("Conv2D", "BiasAdd", "MatMul") else [last]
        tape = None if place == ASSERT else step
        made = builder.add(type, shape, place, step, tape, inputs, nan and place == LOSS)
        last = last if place == ASSERT else made
    target = last
    taken = [(type, builder.op + at + 1 - len(_FORWARD)) for at, (type, _, place) in enumerate(_FORWARD)
             if place != ASSERT and type != "Cast"]  # fmt: skip
    builder.event(step, "exit")
    forward = builder.op
    for type, shape in _BACKWARD:
        last = builder.add(type, shape, GRADIENT, step, None, [last], nan)
    _way_back(builder, step, taken, builder.tensor - len(_BACKWARD) + 1)
    writer.insert(
        "gradient_call",
        [
            (
                step,
                step,
                step,
                "gradient",
                GRADIENT,
                json.dumps([target]),
                forward + 1,
                builder.op,
                0.0046,
                None,
            )
        ],
    )
    writer.insert("tape", [(step, step, 1, None, 0, 1, MODEL, first, forward)])
    for i, (_, shape) in enumerate(VARIABLES, 1):
        _gradient(builder, step, i, shape, last, nan, none and i == 4)
        builder.add("AssignSubVariableOp", (), APPLY, step, None, [i])
    args = [
        {
            "name": "images",
            "kind": "tensor",
            "text": "float32 32×28×28×1",
            "spec": ["float32", [32, 28, 28, 1]],
            "tensor": images,
        }
    ]
    writer.insert("step", [(step, "call", "train_step", 1, 13, 1, first, builder.op, builder.op - first + 1, start,
                            round(0.03 + step % 3 / 100, 4), loss, json.dumps(args), 1.08)])  # fmt: skip
    if step == 1:
        _value(builder, 102, (3, 3, 1, 16))


def _gradient(builder: Builder, step: int, variable: int, shape: tuple[int, ...], tensor: int, nan: bool,
              none: bool) -> None:  # fmt: skip
    builder.gradient += 1
    norm = None if nan else round(builder.random.uniform(0.2, 1.2) / variable * math.exp(-step / 20), 5)
    figures = (norm, -0.3, 0.31, 0.001, 3 if nan else 0, 0, 0.125 if variable == 1 else 0.0)
    row = (builder.gradient, step, step, variable, "dense", tensor, *figures, None)
    if none:
        row = (
            builder.gradient,
            step,
            step,
            variable,
            "none",
            None,
            None,
            None,
            None,
            None,
            None,
            None,
            None,
            None,
        )
    builder.writer.insert("gradient", [row])
    if step <= 8 or step % 8 == 0:
        counts = [-12 + step // 8, 3 + variable, 20, 60, 25, 4]
        figures = (sum(counts[1:]) + 10, 10, 3 if nan else 0, json.dumps(counts), None, None)
        builder.writer.insert("magnitudes", [(step, variable, "gradient", *figures)])
    weight = round(2.0 + 0.01 * step * variable, 4)
    builder.writer.insert(
        "variable_step", [(step, variable, weight, -0.4, 0.4, 0.0, 0, 0, 0.0, 0.002 * variable, 1)]
    )


def _value(builder: Builder, tensor: int, shape: tuple[int, ...]) -> None:
    figures = [builder.random.gauss(0, 0.2) for _ in range(math.prod(shape))]
    figures[5], figures[40] = math.nan, math.inf
    data = zlib.compress(struct.pack(f"<{len(figures)}f", *figures))
    builder.writer.insert("value", [(tensor, 1, 1, "float32", json.dumps(list(shape)), data)])


def _way_back(builder: Builder, step: int, taken: list[tuple[str, int]], first: int) -> None:
    """The recorded ops taken backward: the gradient that one gives is the one the next gets."""
    for at, (type, op) in enumerate(reversed(taken)):
        came, went = first + at * 11 // len(taken), first + (at + 1) * 11 // len(taken)
        went = first + 1 if at == 6 else went  # what the next one gets is a sum
        out = f"[{went}]" if type in ("ReadVariableOp", "Relu", "Sum") else f"[{went},{went}]"
        row = (step * 100 + at, step, None, step, 1, type, op, builder.op, builder.op - 1, 40_000 + 1000 * at,
               f"[{came}]", out, None, None)  # fmt: skip
        builder.writer.insert("backward", [row])
    parts = f"[{first + 1},{first + 2}]"
    total = first + 7 * 11 // len(taken)
    builder.writer.insert("gradient_sum", [(total, step, builder.op, builder.op - 1, parts)])
