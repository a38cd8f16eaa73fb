"""A made-up recording of as many ops as asked, with steps, tapes, gradients, threads and NaNs.

    python -m tests.bench.million_ops RECORDING [OPS]

Each step repeats one sequence of about 3,000 ops, whose frames point into the sources in `recorded/`.
"""

from __future__ import annotations

import ast
import random
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tapeinspect.trace.decode import arguments_to_json, specs_to_json
from tapeinspect.trace.records import Argument, TensorSpec
from tapeinspect.trace.writer import TraceWriter

SOURCES = Path(__file__).parent / "recorded"
OPS_IN_STEP = 3000
FORWARD, BACKWARD = 1000, 1400
"""Ops of a step on the way forth and back; the others update the variables."""

HANDLES = 1000
"""Tensor id of the first variable's handle; the ops of the run make tensors from 10,000 on."""

_FORWARD_TYPES = (
    "ReadVariableOp", "MatMul", "BiasAdd", "AddV2", "Mul", "Sub", "Mean", "Square", "Rsqrt", "Reshape",
    "Transpose", "Softmax", "BatchMatMulV2", "Tanh", "Pow", "StridedSlice", "Shape", "Pack", "Unpack",
    "ResourceGather", "RealDiv", "Sum", "Maximum", "Cast", "NotEqual", "RandomUniform", "GreaterEqual",
    "SelectV2", "OneHot", "SoftmaxCrossEntropyWithLogits", "L2Loss", "AddN", "Split", "IdentityN",
)  # fmt: skip
_BACKWARD_TYPES = (
    "Fill", "MatMul", "BiasAddGrad", "Mul", "Sum", "Reshape", "RsqrtGrad", "TanhGrad", "Neg",
    "BroadcastGradientArgs", "Transpose", "BatchMatMulV2", "SoftmaxGrad", "AddN", "DynamicStitch",
    "FloorDiv", "Tile", "Pow", "Log", "Select", "ConcatV2", "UnsortedSegmentSum", "InvertPermutation",
)  # fmt: skip
_UPDATE_TYPES = (
    "ReadVariableOp", "Mul", "AddV2", "AssignVariableOp", "Square", "Sqrt", "RealDiv",
    "AssignSubVariableOp", "Pow", "Sub", "Minimum", "L2Loss",
)  # fmt: skip
_STEP_LINE = 1 + (SOURCES / "train.py").read_text().splitlines().index(
    "def train_step(model, optimizer, ids, labels):"
)
_SHAPES = ((32, 64, 64), (32, 4, 64, 64), (32, 64, 256), (64, 64), (32, 10), (64,), ())
_OUTPUTS = {
    "SoftmaxCrossEntropyWithLogits": 2,
    "Split": 3,
    "Unpack": 3,
    "BroadcastGradientArgs": 2,
    "IdentityN": 2,
}
_NO_OUTPUT = {"AssignVariableOp", "AssignSubVariableOp"}
_WHOLE = {"Shape", "Cast", "BroadcastGradientArgs", "InvertPermutation"}


@dataclass
class Plan:
    """What every step repeats: an op's kind, stack and thread, its tensors counted from the step's first."""

    kinds: list[int] = field(default_factory=list)
    stacks: list[int] = field(default_factory=list)
    threads: list[int] = field(default_factory=list)
    recorded: list[bool] = field(default_factory=list)
    inputs: list[tuple[int, ...]] = field(default_factory=list)
    """Negative: the id of a handle, with its sign changed."""
    outputs: list[int | None] = field(default_factory=list)
    further: list[tuple[int, int]] = field(default_factory=list)
    """(op, tensor) of each float output behind the first."""
    floats: list[bool] = field(default_factory=list)
    tensors: int = 0


def generate(path: str | Path, ops: int = 1_000_000, seed: int = 0) -> Path:
    """Write a finished recording of `ops` ops; the same for the same seed."""
    rng = random.Random(seed)
    writer = TraceWriter(path)
    variables = _variables()
    _write_meta(writer)
    forward, backward, update = _write_stacks(writer)
    plan = _plan(writer, rng, forward, backward, update, len(variables))
    writer.insert("variable", variables)
    writer.insert("thread", [(1, "MainThread"), (2, "replica_1")])
    writer.commit()
    steps = -(-ops // OPS_IN_STEP)
    for step in range(1, steps + 1):
        count = min(OPS_IN_STEP, ops - (step - 1) * OPS_IN_STEP)
        _write_step(writer, rng, plan, step, count, steps, len(variables), forward[0], backward[0])
        writer.commit()
    writer.set_meta(exit_status=0, complete=True, overhead=1.08)
    writer.commit()
    writer.close()
    return Path(path)


def _write_meta(writer: TraceWriter) -> None:
    writer.set_meta(
        script="train.py",
        argv=["train.py", "--epochs", "3"],
        cwd="/home/user/transformer",
        tensorflow="2.21.0",
        keras="3.12.0",
        python="3.11.7",
        tapeinspect="0.1.0",
        mode="eager",
        values="health",
        pid=4711,
        started=1_750_000_000.0,
        exit_status=None,
        complete=False,
    )


def _variables() -> list[tuple[object, ...]]:
    """40 variables of a transformer of two blocks, all trainable."""
    names = ["tokens", "positions", "head/kernel", "head/bias"]
    for block in ("block0", "block1"):
        for layer in ("attention/query", "attention/key", "attention/value", "attention/out"):
            names += [f"{block}/{layer}/kernel", f"{block}/{layer}/bias"]
        for layer in ("feed_forward/first", "feed_forward/second"):
            names += [f"{block}/{layer}/kernel", f"{block}/{layer}/bias"]
        names += [f"{block}/{norm}/{part}" for norm in ("norm1", "norm2") for part in ("gamma", "beta")]
    names += [f"adapter{i}/{part}" for i in (0, 1) for part in ("kernel", "bias")]
    shapes = ["[64,64]" if name.endswith("kernel") else "[64]" for name in names]
    return [
        (i + 1, name, "variable", "float32", shape, 1, HANDLES + i)
        for i, (name, shape) in enumerate(zip(names, shapes, strict=True))
    ]


def _write_stacks(writer: TraceWriter) -> tuple[list[int], list[int], list[int]]:
    """Files, frames and stacks; the stacks of the way forth, of the way back and of the update."""
    root = "/home/user/transformer"
    texts = [(SOURCES / name).read_text() for name in ("train.py", "model.py")]
    writer.insert(
        "file", [(1, f"{root}/train.py", "user", texts[0]), (2, f"{root}/model.py", "user", texts[1])]
    )
    writer.insert("file", [(3, "/site-packages/tensorflow/python/ops/gen_ops.py", "library", None)])
    frames = [(i, 3, f"op_wrapper_{i}", 100 * i, None, None, None) for i in range(1, 9)]
    train = list(_expressions(texts[0], 1, len(frames)))
    model = list(_expressions(texts[1], 2, len(frames) + len(train)))
    writer.insert("frame", [*frames, *train, *model])
    outer = [
        _at(train, text, texts[0]) for text in ("train_step(model, opt", "train(options.epochs", "main()")
    ]
    gradient = _at(train, "tape.gradient(", texts[0])
    forth = [_at(train, "model(ids", texts[0]), *outer]
    calls = [[leaf, frame[0], *forth] for leaf in (1, 2, 3) for frame in model if frame[2] != "__init__"]
    calls += [[leaf, frame[0], *outer] for leaf in (1, 2) for frame in train if frame[2] == "loss_of"]
    back = [[leaf, deeper, gradient, *outer] for leaf in range(1, 9) for deeper in range(1, 9)]
    apply = [_at(train, "optimizer.apply(", texts[0]), *outer]
    updates = [[leaf, frame[0], *apply] for leaf in (1, 2) for frame in train if frame[2] == "apply"]
    users = {frame[0]: frame for frame in (*train, *model)}
    rows, ids = [], []
    for group in (calls, back, updates):
        ids.append(list(range(len(rows) + 1, len(rows) + len(group) + 1)))
        for stack in group:
            user = users[next(frame for frame in stack if frame in users)]
            rows.append((len(rows) + 1, str(stack).replace(" ", ""), user[0], user[1], user[3]))
    writer.insert("stack", rows)
    return ids[0], ids[1], ids[2]


_Frame = tuple[int, int, str, int, int, int, int]


def _expressions(text: str, file: int, before: int) -> Iterator[_Frame]:
    """A frame for each call and each operation in a source text, ids from `before` + 1."""
    found = []
    for function in [
        node for node in ast.walk(ast.parse(text)) if isinstance(node, (ast.FunctionDef, ast.Module))
    ]:
        name = function.name if isinstance(function, ast.FunctionDef) else "<module>"
        for node in ast.walk(function):
            if isinstance(node, (ast.Call, ast.BinOp)):
                found.append((node.lineno, node.end_lineno, node.col_offset, node.end_col_offset, name))
    inner = {place[:4]: place for place in found}  # the innermost function comes last
    for number, (line, end_line, col, end_col, name) in enumerate(sorted(inner.values()), start=before + 1):
        yield (number, file, name, line, end_line or line, col, end_col or col)


def _at(frames: list[_Frame], text: str, source: str) -> int:
    """The frame whose expression begins with this text."""
    lines = source.splitlines()
    return next(frame[0] for frame in frames if lines[frame[3] - 1][frame[5] :].startswith(text))


def _plan(
    writer: TraceWriter,
    rng: random.Random,
    forward: list[int],
    backward: list[int],
    update: list[int],
    variables: int,
) -> Plan:
    plan = Plan()
    kinds: dict[tuple[str, tuple[int, ...]], int] = {}
    for index in range(OPS_IN_STEP):
        forth, back = index < FORWARD, FORWARD <= index < FORWARD + BACKWARD
        types, stacks = (
            (_FORWARD_TYPES, forward)
            if forth
            else (_BACKWARD_TYPES, backward)
            if back
            else (_UPDATE_TYPES, update)
        )
        place = index if forth else index - FORWARD if back else index - FORWARD - BACKWARD
        name = types[place % len(types)]
        shape = _SHAPES[(place // len(types)) % len(_SHAPES)]
        kind = kinds.setdefault((name, shape), len(kinds) + 1)
        _plan_op(
            plan, rng, name, kind, stacks[place * len(stacks) // FORWARD % len(stacks)], variables, index
        )
        plan.recorded.append(forth)
        plan.threads.append(2 if index % 50 == 49 else 1)
    for index in range(97, OPS_IN_STEP, 50):  # two threads number their tensors in the other order
        one, two = plan.outputs[index], plan.outputs[index + 1] if index + 1 < OPS_IN_STEP else None
        if one is not None and two == one + 1 and plan.outputs[index + 2] == two + 1:
            plan.outputs[index], plan.outputs[index + 1] = two, one
    writer.insert("kind", [_kind(kind, name, shape) for (name, shape), kind in kinds.items()])
    return plan


def _kind(kind: int, name: str, shape: tuple[int, ...]) -> tuple[int, str, str, str]:
    dtype = "int32" if name in _WHOLE else "float32"
    count = 0 if name in _NO_OUTPUT else _OUTPUTS.get(name, 1)
    attrs = '{"transpose_a":false,"transpose_b":false}' if "MatMul" in name else '{"T":"float32"}'
    return (kind, name, attrs, specs_to_json([TensorSpec(dtype, shape)] * count))


def _plan_op(
    plan: Plan, rng: random.Random, name: str, kind: int, stack: int, variables: int, index: int
) -> None:
    handle = -(HANDLES + index % variables)
    if name == "ReadVariableOp":
        inputs: tuple[int, ...] = (handle,)
    else:
        recent = range(max(0, plan.tensors - 60), plan.tensors)
        inputs = tuple(rng.choice(recent) for _ in range(min(len(recent), 1 + index % 3)))
        if name in _NO_OUTPUT:
            inputs = (handle, *inputs[:1])
    count = 0 if name in _NO_OUTPUT else _OUTPUTS.get(name, 1)
    is_float = name not in _WHOLE and count > 0
    plan.kinds.append(kind)
    plan.stacks.append(stack)
    plan.inputs.append(inputs)
    plan.outputs.append(plan.tensors if count else None)
    plan.floats.append(is_float)
    if is_float:
        plan.further += [(index, plan.tensors + slot) for slot in range(1, count)]
    plan.tensors += count + (1 if index % 10 == 0 else 0)  # some tensors are made by no op


def _write_step(
    writer: TraceWriter,
    rng: random.Random,
    plan: Plan,
    step: int,
    count: int,
    steps: int,
    variables: int,
    forward: int,
    backward: int,
) -> None:
    before = (step - 1) * OPS_IN_STEP
    base = 10_000 + (step - 1) * plan.tensors
    began = (step - 1) * 120_000
    loss = 2.3 * 0.99**step + rng.random() * 0.05
    broken = step > max(1, steps - 2)
    bad = {index for index in (600, 601, 602) if broken and index < count}
    inputs = [
        f"[{','.join([str(base + tensor if tensor >= 0 else -tensor) for tensor in op])}]"
        for op in plan.inputs[:count]
    ]
    norms = [
        None if not is_float or index in bad else rng.lognormvariate(0.0, 2.0)
        for index, is_float in enumerate(plan.floats[:count])
    ]
    ids = range(before + 1, before + count + 1)
    writer.insert(
        "op",
        zip(
            ids,
            [step] * count,
            plan.kinds[:count],
            plan.stacks[:count],
            plan.threads[:count],
            [began + 38 * index + index % 7 for index in range(count)],
            [12_000 + (index * 7919) % 60_000 for index in range(count)],
            [step if recorded else None for recorded in plan.recorded[:count]],
            inputs,
            [None if output is None else base + output for output in plan.outputs[:count]],
            norms,
            strict=True,
        ),
    )
    health = [
        (base + tensor, before + index + 1, 0, 0, rng.random())
        for index, tensor in plan.further
        if index < count
    ]
    health += [(base + (plan.outputs[i] or 0), before + i + 1, 3, 1, None) for i in sorted(bad)]
    writer.insert("health", health)
    _write_training(writer, rng, plan, step, count, variables, forward, backward, loss)


def _write_training(
    writer: TraceWriter,
    rng: random.Random,
    plan: Plan,
    step: int,
    count: int,
    variables: int,
    forward: int,
    backward: int,
    loss: float,
) -> None:
    before, base, began = (step - 1) * OPS_IN_STEP, 10_000 + (step - 1) * plan.tensors, (step - 1) * 120_000
    args = [
        Argument("ids", "tensor", "<tf.Tensor int32 (32, 64)>", TensorSpec("int32", (32, 64)), base),
        Argument("labels", "tensor", "<tf.Tensor int32 (32,)>", TensorSpec("int32", (32,)), base + 1),
    ]
    last = before + count
    writer.insert(
        "step",
        [
            (
                step,
                "call",
                "train_step",
                1,
                _STEP_LINE,
                1,
                before + 1,
                last,
                count,
                began,
                0.11,
                loss,
                arguments_to_json(args),
                1.08,
            )
        ],
    )
    forth = min(last, before + FORWARD)
    back = min(last, before + FORWARD + BACKWARD)
    writer.insert("tape", [(step, step, 1, None, 0, 1, forward, before + 1, forth)])
    events = [
        ("enter", before, None),
        *(("watch", before + 20, v + 1) for v in range(variables)),
        ("exit", forth, None),
    ]
    first_event = (step - 1) * len(events) + 1
    writer.insert(
        "tape_event",
        [
            (first_event + i, step, event, op, forward, began + i, None, variable)
            for i, (event, op, variable) in enumerate(events)
        ],
    )
    target = base + max(tensor for tensor in plan.outputs[:FORWARD] if tensor is not None)
    writer.insert(
        "gradient_call",
        [(step, step, step, "gradient", backward, f"[{target}]", forth + 1 if back > forth else None,
          back if back > forth else None, 0.05, None)],
    )  # fmt: skip
    first = (step - 1) * variables + 1
    gradients, figures = [], []
    for v in range(variables):
        norm = rng.lognormvariate(-3.0, 1.0)
        form = "none" if v >= variables - 2 else "sparse" if v == 0 else "dense"
        known = (base + v, norm, -norm, norm, norm / 100) if form != "none" else (None,) * 5
        gradients.append((first + v, step, step, v + 1, form, *known, 0, 0, 0.0, 32 if v == 0 else None))
        figures.append((step, v + 1, 8.0, -0.5, 0.5, 0.0, 0, 0, 0.0, norm * 1e-3, 1))
    writer.insert("gradient", gradients)
    writer.insert("variable_step", figures)


if __name__ == "__main__":
    started = time.perf_counter()
    made = generate(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 1_000_000)
    print(f"{made}: {made.stat().st_size:,} bytes in {time.perf_counter() - started:.1f} s")
