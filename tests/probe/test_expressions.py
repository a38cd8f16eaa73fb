"""Ops one by one: expressions, attributes, threads, and the graph that their tensors make."""

from __future__ import annotations

import sys
from itertools import pairwise

import pytest

from tapeinspect.trace.records import Op
from tests.probe.recorded import Run, Runner, own

pytestmark = pytest.mark.tf
EXPRESSIONS = own("expressions")
RECORDINGS = (EXPRESSIONS,)


@pytest.fixture(scope="module")
def run(runner: Runner) -> Run:
    run = runner.get(EXPRESSIONS)
    assert run.status == 0, run.stderr
    return run


def expression(run: Run, op: Op) -> str | None:
    """The text of the expression that an op comes from."""
    frame = op.stack.user
    if frame is None or frame.col is None:
        return None
    lines = run.source[frame.line - 1 : frame.end_line]
    lines[-1] = lines[-1][: frame.end_col]
    lines[0] = lines[0][frame.col :]
    return "\n".join(lines)


def test_expressions_are_those_the_comments_name(run: Run) -> None:
    wrong, count = [], 0
    for number, line in enumerate(run.source, 1):
        comments = [part.strip() for part in line.split("  # ")[1:] if ": " in part and "noqa" not in part]
        if not comments or "fmt" in comments[0]:
            continue
        wanted = [tuple(part.strip().split(": ", 1)) for part in comments[0].split(" | ")]
        if sys.version_info < (
            3,
            11,
        ):  # only from then on does the bytecode tell where a statement's parts are
            wanted = [(kind, text) for kind, text in wanted if "+=" not in text]
        kinds = {kind for kind, _ in wanted}
        found = [
            (op.row.type, expression(run, op))
            for op in run.ops
            if op.row.line == number and op.row.type in kinds and op.row.path == str(run.recording.script)
        ]
        count += len(wanted)
        if found != wanted:
            wrong.append((number, wanted, found))
    assert count in (19, 20)
    assert not wrong, "\n".join(map(str, wrong))


def one(run: Run, kind: str) -> Op:
    """The op of a type that the script runs once."""
    (op,) = [op for op in run.ops if op.row.type == kind]
    return op


def test_attributes(run: Run) -> None:
    conv = one(run, "Conv2D").attrs
    assert conv["strides"] == [1, 2, 2, 1]
    assert (conv["padding"], conv["data_format"]) == ("SAME", "NHWC")
    assert one(run, "Sum").attrs["keep_dims"] is True
    assert next(op for op in run.ops if op.row.type == "StridedSlice").attrs["shrink_axis_mask"] == 1
    assert one(run, "MatMul").attrs["transpose_a"] is False


def test_threads_have_their_names(run: Run) -> None:
    names = {op.row.type: op.thread_name for op in run.ops}
    assert names["Sign"] == "worker-7"
    assert names["Exp"] == "MainThread"
    for true in run.truth["ops"]:
        op = run.trace.op(run.trace.producer(true[2][0][0])) if true[2] else None
        assert op is None or op.thread_name == true[4]


def test_inputs_come_from_earlier_ops_handles_or_no_op_at_all(run: Run) -> None:
    made: dict[int, int] = {}
    for op in run.ops:
        for tensor in op.inputs:
            producer = run.trace.producer(tensor)
            assert producer == made.get(tensor)
            assert producer is None or producer < op.row.id
        for output in op.outputs:
            assert output.id not in made
            made[output.id] = op.row.id
    exp, add = one(run, "Exp"), next(op for op in run.ops if op.row.type == "AddV2")
    assert exp.outputs[0].id in add.inputs
    assert add.row.id in run.trace.consumers(exp.outputs[0].id)


def test_ops_match_the_scripts_own_callback(run: Run) -> None:
    main = [true for true in run.truth["ops"] if true[4] == "MainThread"]
    found = [op for op in run.ops if op.thread_name == "MainThread"][-len(main) :]
    assert [(op.row.type, list(op.inputs)) for op in found] == [(true[0], true[1]) for true in main]
    stacks = run.truth["stacks"]
    for op, true in zip(found, main, strict=True):
        lines = [line for *_, line in stacks[true[3]] if line]
        assert [f.line for f in op.stack.frames if f.path == str(run.recording.script)] == lines


def test_times_grow_and_sources_are_kept(run: Run) -> None:
    ops = [op for op in run.ops if op.thread_name == "MainThread"]
    assert all(a.row.time_us <= b.row.time_us for a, b in pairwise(ops))
    assert all(op.row.took_ns > 0 for op in run.ops)
    file = next(f for f in run.trace.files() if f.path == str(run.recording.script))
    assert file.role == "user"
    assert file.source == run.recording.script.read_text("utf-8")
    library = [f for f in run.trace.files() if "site-packages" in f.path]
    assert library and all(f.role == "library" and f.source is None for f in library)
