"""Which ops no gradient reached, and the reason given for each."""

from __future__ import annotations

import json
from pathlib import Path

from tapeinspect.analysis.flow import Pass, gradient_passes
from tapeinspect.trace.reader import open_trace
from tapeinspect.trace.records import TensorSpec
from tests.trace.builders import Recording

HANDLE = 5
INT = TensorSpec("int64", (2,))


def passed(path: Path) -> tuple[Pass, dict[str, int]]:
    """One gradient call over every kind of op that it does not reach; ops by the name they have here."""
    recording = Recording(path)
    ops: dict[str, int] = {}
    made: dict[str, int] = {}

    def op(name: str, type: str, *inputs: str, spec: TensorSpec | None = None, taped: bool = True) -> None:
        tensors = [HANDLE if given == "handle" else made[given] for given in inputs]
        made[name] = recording.op(type, tensors, *((spec,) if spec else ()), tapes=(1,) if taped else ())
        ops[name] = recording.ops

    op("w", "ReadVariableOp", "handle")
    op("h", "MatMul", "w")
    op("index", "ArgMax", "h", spec=INT)
    op("before", "Tanh", "h")
    op("frozen", "StopGradient", "before", taped=False)
    op("scaled", "Mul", "frozen", taped=False)
    op("aside", "Exp", "h")
    op("weighted", "Pow", "h", "scaled")
    op("inner", "Sin", "weighted")
    op("own", "Identity", "inner")
    op("loss", "Sum", "own")
    recording.variable(1, "w", HANDLE)
    recording.tape(1, 1, recording.ops)
    recording.call(1, 1, [made["loss"]], None, None)
    recording.gradient(1, 1, 0.5)
    recording.step(1, 1, recording.ops)
    taken = [
        ("Sum", "loss", [[90], [91]], None), ("squash", "own", [[91], [92]], ([made["own"]], [made["weighted"]])),
        ("Pow", "weighted", [[92], [93, None]], None), ("MatMul", "h", [[93], [94]], None),
        ("ReadVariableOp", "w", [[94], [94]], None),
    ]  # fmt: skip
    for at, (type, name, (came, went), kept) in enumerate(taken, 1):
        tensors = [json.dumps(kept[0]), json.dumps(kept[1])] if kept else [None, None]
        row = (at, 1, None, 1, 1, type, ops[name], recording.ops, recording.ops - 1, 1000,
               json.dumps(came), json.dumps(went), *tensors)  # fmt: skip
        recording.writer.insert("backward", [row])
    (found,) = gradient_passes(open_trace(recording.done()), 1)
    return found, ops


def test_every_op_is_reached_or_has_its_reason(tmp_path: Path) -> None:
    found, ops = passed(tmp_path / "a.tape")
    assert set(found.reached) == {ops[name] for name in ("loss", "own", "weighted", "h", "w")}
    causes = {name: found.unreached[op].cause for name, op in ops.items() if op in found.unreached}
    assert causes == {
        "index": "integer", "before": "behind", "frozen": "stops", "scaled": "outside", "aside": "unused",
        "inner": "around",
    }  # fmt: skip


def test_the_op_that_is_to_blame_is_named(tmp_path: Path) -> None:
    found, ops = passed(tmp_path / "a.tape")
    assert found.unreached[ops["before"]].culprit == ops["frozen"]
    assert "StopGradient" in found.unreached[ops["before"]].message
    assert found.unreached[ops["inner"]].culprit == ops["own"]
    assert found.unreached[ops["inner"]].short == "part of squash"


def test_flows_name_the_forward_tensors_they_are_of(tmp_path: Path) -> None:
    found, ops = passed(tmp_path / "a.tape")
    reader_calls = {call.op: call for call in found.calls}
    power = reader_calls[ops["weighted"]]
    assert power.incoming[0] is not None and power.outgoing[1] is None
    read = reader_calls[ops["w"]]
    assert read.outgoing[0] is not None and read.outgoing[0].of == HANDLE
    assert not any(call.summed for call in found.calls)


def test_without_the_table_nothing_is_claimed(tmp_path: Path) -> None:
    recording = Recording(tmp_path / "a.tape")
    loss = recording.op("Sum", [HANDLE], tapes=(1,))
    recording.tape(1, 1, 1)
    recording.call(1, 1, [loss], None, None)
    recording.step(1, 1, 1)
    recording.writer.execute("DROP TABLE backward")
    reader = open_trace(recording.done())
    (found,) = gradient_passes(reader, 1)
    assert not reader.has_backward and not found.unreached and not found.calls
    assert reader.backward_of(1) == [] and reader.gradient_sums(1) == {}
