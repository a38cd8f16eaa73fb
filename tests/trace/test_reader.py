"""What goes into a recording comes out of it, as records."""

from __future__ import annotations

import math
import subprocess
import sys
from array import array
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from tapeinspect.errors import TraceError
from tapeinspect.trace.reader import TraceReader, open_trace
from tapeinspect.trace.records import Argument, Health, LineCost, OpFilter, TensorSpec
from tapeinspect.trace.values import value_row
from tests.bench.million_ops import OPS_IN_STEP, generate
from tests.trace.builders import FIRST_TENSOR, Recording

SCALAR = TensorSpec("float32", ())


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TraceReader]:
    """A made-up recording of two steps and a half."""
    reader = open_trace(generate(tmp_path_factory.mktemp("made") / "made.tape", 7500))
    yield reader
    reader.close()


def small(tmp_path: Path) -> Recording:
    recording = Recording(tmp_path / "small.tape")
    recording.op("Const", step=None, line=3)
    recording.op("MatMul", [FIRST_TENSOR, FIRST_TENSOR], tapes=[1, 2], norm=2.5, line=7)
    recording.op("Split", [FIRST_TENSOR + 1], SCALAR, SCALAR, TensorSpec("int32", (4,)), line=8)
    recording.op("Mul", [FIRST_TENSOR + 3], thread=2, line=9)
    recording.op("Neg", [FIRST_TENSOR + 5], line=9)
    recording.step(1, 2, 5, loss=0.5)
    recording.tape(1, 2, 3)
    recording.call(1, 1, [FIRST_TENSOR + 4], 4, 5)
    return recording


def test_an_op_has_all_that_was_recorded_of_it(tmp_path: Path) -> None:
    with_all = small(tmp_path)
    with_all.writer.insert("health", [(FIRST_TENSOR + 2, 3, 0, 0, 1.5), (9000, 3, 2, 1, None)])
    with_all.writer.insert("op_output", [(3, 1, 9000)])
    reader = open_trace(with_all.done())

    op = reader.op(3)

    assert [(output.id, output.spec, output.health) for output in op.outputs] == [
        (FIRST_TENSOR + 2, SCALAR, Health(0, 0, 1.5)),
        (9000, SCALAR, Health(2, 1, None)),
        (FIRST_TENSOR + 4, TensorSpec("int32", (4,)), None),
    ]
    assert op.inputs == (FIRST_TENSOR + 1,)
    assert op.attrs == {"T": "float"}
    assert [frame.function for frame in op.stack.frames] == ["matmul", "train_step"]
    assert op.stack.user is not None and (op.stack.user.line, op.stack.user.col) == (8, 9)
    assert op.thread_name == "MainThread"
    assert op.row.bad and op.row.type == "Split" and op.row.path == "/home/user/train.py"
    assert reader.op(2).tapes == (1, 2)
    assert reader.op(2).outputs[0].health == Health(0, 0, 2.5)


def test_rows_come_in_the_order_asked_and_a_missing_op_is_unknown(tmp_path: Path) -> None:
    reader = open_trace(small(tmp_path).done())
    rows = reader.rows([5, 77, 1, 2])
    assert [(row.id, row.type, row.step) for row in rows] == [
        (5, "Neg", 1),
        (77, "unknown", None),
        (1, "Const", None),
        (2, "MatMul", 1),
    ]
    assert (rows[3].norm, rows[3].tape, rows[3].output) == (2.5, 1, TensorSpec("float32", (2, 3)))


def test_an_op_ran_on_the_way_back_when_its_thread_was_in_a_gradient_call(tmp_path: Path) -> None:
    reader = open_trace(small(tmp_path).done())  # the call's first op, 4, ran on the worker thread
    assert [row.backward for row in reader.rows(range(1, 6))] == [False, False, False, True, False]
    assert list(reader.op_ids(OpFilter(backward=True))) == [4]
    assert list(reader.op_ids(OpFilter(backward=False))) == [1, 2, 3, 5]


def test_the_backward_filter_agrees_with_the_rows(made: TraceReader) -> None:
    for step in (None, 2):
        everything = list(made.op_ids(OpFilter(step=step)))
        backward = {row.id for row in made.rows(everything) if row.backward}
        assert 0 < len(backward) < len(everything)
        assert set(made.op_ids(OpFilter(step=step, backward=True))) == backward
        assert set(made.op_ids(OpFilter(step=step, backward=False))) == set(everything) - backward


def test_unfiltered_ids_and_those_of_a_whole_step_are_ranges(made: TraceReader) -> None:
    assert made.op_ids(OpFilter()) == range(1, 7501)
    assert made.op_ids(OpFilter(step=2)) == range(OPS_IN_STEP + 1, 2 * OPS_IN_STEP + 1)
    assert made.op_ids(OpFilter(step=99)) == range(0)


def test_ops_of_a_step_leave_out_those_of_others_that_ran_meanwhile(tmp_path: Path) -> None:
    recording = Recording(tmp_path / "a.tape")
    for step in (1, None, 1, 2, 1):
        recording.op("Mul", step=step)
    recording.writer.insert("step", [(1, "call", "f", 1, 5, 1, 1, 5, 3, 0, 1.0, None, "[]", None)])
    reader = open_trace(recording.done())
    assert reader.op_ids(OpFilter(step=1)) == array("q", [1, 3, 5])


def test_many_ids_come_in_several_parts(made: TraceReader, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = made.op_ids(OpFilter(recorded=True))
    monkeypatch.setattr("tapeinspect.trace.database._IDS", 100)
    assert made.op_ids(OpFilter(recorded=True)) == whole
    assert len(whole) == 2 * 1000 + 1000


def test_every_tensor_made_by_an_op_is_found_and_the_others_are_not(made: TraceReader) -> None:
    """Two threads number their outputs in another order than their ops, and some ids belong to no op."""
    edges = [edge for edge in made.edges(1, 7500) if edge.outputs]
    makers = {tensor: edge.op for edge in edges for tensor in edge.outputs}
    swapped = [a.outputs[0] for a, b in pairwise(edges) if a.outputs[0] > b.outputs[0]]
    nobody = [tensor for tensor in range(min(makers), max(makers)) if tensor not in makers]
    assert swapped and nobody
    tensors = [*range(min(makers) - 5, max(makers) + 5, 37), *swapped[:20], *nobody[:20]]
    assert {tensor: made.producer(tensor) for tensor in tensors} == {
        tensor: makers.get(tensor) for tensor in tensors
    }


def test_a_producer_is_found_when_tensors_are_numbered_backwards(tmp_path: Path) -> None:
    recording = Recording(tmp_path / "a.tape")
    for _ in range(2000):
        recording.tensors = 20_000 - recording.ops
        recording.op("Mul")
    reader = open_trace(recording.done())
    assert [reader.producer(20_000 - op + 1) for op in (1, 700, 2000)] == [1, 700, 2000]
    assert reader.producer(50_000) is None


def test_consumers_reach_to_the_end_of_the_next_step(tmp_path: Path) -> None:
    recording = Recording(tmp_path / "a.tape")
    made = recording.op("Const")
    recording.op("Mul", [made])
    recording.op("Mul", [made * 10 + 1])  # the digits of the id occur in another id
    recording.op("Add", [made], step=2)
    recording.op("Add", [made], step=3)
    for step, first, last in ((1, 1, 3), (2, 4, 4), (3, 5, 5)):
        recording.step(step, first, last)
    reader = open_trace(recording.done())
    assert reader.consumers(made) == [2, 4]
    assert reader.consumers(made, limit=1) == [2]


def test_consumers_agree_with_the_inputs(made: TraceReader) -> None:
    taken: dict[int, list[int]] = {}
    for edge in made.edges(1, 2 * OPS_IN_STEP):
        for tensor in edge.inputs:
            taken.setdefault(tensor, []).append(edge.op)
    some = [tensor for tensor in list(taken)[:3000:50] if made.producer(tensor) is not None]
    assert len(some) > 10
    for tensor in some:
        assert made.consumers(tensor) == sorted(set(taken[tensor]))


def test_lines_cost_what_ran_on_their_stacks(tmp_path: Path) -> None:
    reader = open_trace(small(tmp_path).done())
    assert reader.line_costs(1, None) == {
        3: LineCost(1, 1000), 7: LineCost(1, 1000), 8: LineCost(1, 1000), 9: LineCost(2, 2000)
    }  # fmt: skip
    assert 3 not in reader.line_costs(1, 1)
    assert reader.line_costs(2, None) == {}


def test_the_line_filter_finds_as_many_ops_as_the_line_costs_say(made: TraceReader) -> None:
    costs = made.line_costs(2, None)
    assert len(costs) > 20
    for line, cost in list(costs.items())[::5]:
        assert len(made.op_ids(OpFilter(path="model.py", line=line))) == cost.ops


def test_steps_grow_and_a_running_step_is_read_again(tmp_path: Path) -> None:
    recording = Recording(tmp_path / "a.tape")
    recording.op("Mul")
    recording.step(1, 1, None)
    recording.writer.commit()
    reader = open_trace(recording.path)
    steps = reader.steps()
    assert [step.last_op for step in steps] == [None]
    recording.op("Mul")
    recording.op("Mul", step=2)
    recording.step(1, 1, 2, loss=math.nan)
    recording.step(2, 3, None, loss=math.inf)
    recording.writer.commit()
    assert reader.refresh().ops == 3
    assert [step.last_op for step in reader.steps()] == [2, None]
    assert math.isnan(reader.step(1).loss or 0.0) and reader.step(2).loss == math.inf
    assert list(reader.op_ids(OpFilter(step=2))) == [3]
    with pytest.raises(KeyError):
        reader.step(3)


def test_arguments_of_a_step_come_back(made: TraceReader) -> None:
    assert made.step(1).args[0] == Argument(
        "ids", "tensor", "<tf.Tensor int32 (32, 64)>", TensorSpec("int32", (32, 64)), made.op(1).outputs[0].id
    )


def test_gradients_come_with_their_variables_and_their_history(made: TraceReader) -> None:
    gradients = made.gradients(2)
    assert len(gradients) == 40 == len(made.variables())
    assert (
        gradients[0].variable.name == "tokens" and gradients[0].form == "sparse" and gradients[0].rows == 32
    )
    assert gradients[-1].form == "none" and gradients[-1].norm is None
    history = made.gradient_history(gradients[5].variable.id)
    assert [gradient.step for gradient in history] == [1, 2, 3]
    assert [gradient.step for gradient in made.gradient_history(6, last=2)] == [2, 3]
    assert made.norms()[6] == [(gradient.step, gradient.norm) for gradient in history]
    assert len(made.norms(last=2)[6]) == 2
    assert made.variable_steps(2)[6].update_ratio == pytest.approx((history[1].norm or 0) * 1e-3 / 8.0)
    assert len(made.gradients(None)) == 120


def test_tapes_come_with_their_events(made: TraceReader) -> None:
    (tape,) = made.tapes(2)
    assert (tape.first_op, tape.last_op, tape.path) == (3001, 4000, made.file(2).path)
    assert [event.event for event in tape.events] == ["enter", *["watch"] * 40, "exit"]
    assert len(made.tapes(None)) == 3
    (call,) = made.gradient_calls(2)
    assert (call.tape, call.first_op, call.last_op, call.method) == (2, 4001, 5400, "gradient")


def test_stored_values_and_figures(tmp_path: Path) -> None:
    recording = small(tmp_path)
    spec = TensorSpec("float32", (2,))
    recording.writer.insert("value", [value_row(5, 1, 1, spec, b"\0\0\x80\x3f\0\0\x40\x40")])
    recording.writer.insert("value", [(6, 1, 1, "float32", "[2]", b"not packed")])
    recording.writer.insert("value", [value_row(7, 1, 1, TensorSpec("string", (1,)), b'["a"]')])
    recording.writer.insert(
        "stats", [(8, 4, 0, 0, 1, 0.0, 3.0, 1.5, 1.1, 3.7, '{"edges":[0,2,4],"counts":[2,2]}')]
    )
    reader = open_trace(recording.done())
    value = reader.value(5)
    assert value is not None and value.spec == spec and len(value.data) == 8
    computed = reader.stats(5)
    assert computed is not None and (computed.min, computed.max, computed.mean, computed.std) == (
        1.0,
        3.0,
        2.0,
        1.0,
    )
    with pytest.raises(TraceError, match="damaged"):
        reader.value(6)
    assert reader.stats(7) is None
    stored = reader.stats(8)
    assert stored is not None and stored.edges == (0.0, 2.0, 4.0) and stored.counts == (2, 2)
    assert reader.value(99) is None and reader.stats(99) is None


def test_what_happened_in_the_run(tmp_path: Path) -> None:
    recording = small(tmp_path)
    frames = '[{"file":"a.py","line":3,"function":"f","code":"x()","user":true}]'
    recording.writer.insert("error", [(1, "ValueError", "no", "a.py", 3, 1, frames)])
    recording.writer.insert("probe_error", [(1, "tapes", "failed", "traceback")])
    recording.writer.insert("opaque", [(1, "dataset", "map at line 3", None, 2, "runs on other threads")])
    made = ("function", 1, 2, 0.25, 1, 30, '[{"name":"n","text":"Python int 2"}]')
    why = ("value", "n", "the Python value of n changed from 1 to 2", "Pass a tensor.", None)
    recording.writer.insert("trace", [(1, "step", 1, 5, "(float32[2])", 12, None, 1, None, *made, *why)])
    recording.writer.insert("finding", [(1, "nan", "error", 1, 3, 1, 8, "NaN in Split", "look")])
    reader = open_trace(recording.done())
    assert reader.errors()[0].frames[0].code == "x()" and reader.counts.errors == 1
    assert reader.probe_errors()[0].part == "tapes"
    assert reader.opaques()[0].kind == "dataset"
    (trace,) = reader.traces()
    assert trace.path == trace.caller_path == "/home/user/train.py" and trace.retrace
    assert trace.arguments == (("n", "Python int 2"),) and (trace.cause, trace.argument) == ("value", "n")
    assert reader.findings()[0].line == 8
    assert reader.threads() == {1: "MainThread", 2: "worker"}
    assert reader.meta.script == "train.py" and reader.meta.complete and reader.meta.exit_status == 0
    assert [file.role for file in reader.files()] == ["user", "library"]


def test_a_closed_reader_says_so(tmp_path: Path) -> None:
    reader = open_trace(small(tmp_path).done())
    reader.close()
    with pytest.raises(TraceError, match="has been closed"):
        reader.rows([1])
    with pytest.raises(TraceError, match="has been closed"):
        reader.op_ids(OpFilter(bad=True))


def test_reading_loads_neither_numpy_nor_the_writer(tmp_path: Path) -> None:
    path = small(tmp_path).done()
    code = (
        "import sys; from tapeinspect.trace.reader import open_trace; r = open_trace(sys.argv[1]); r.op(2);"
        "assert 'numpy' not in sys.modules and 'tensorflow' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code, str(path)], check=True, timeout=60)
