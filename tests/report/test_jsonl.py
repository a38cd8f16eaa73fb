"""`export --format jsonl`: the fields are a contract."""

from __future__ import annotations

import io
import json
import math
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from tapeinspect.errors import TraceError
from tapeinspect.report import jsonl
from tapeinspect.trace.records import TensorSpec
from tests.cli.running import run
from tests.trace.builders import Recording

USER_FILE = "/home/user/train.py"
FLOAT = TensorSpec("float32", (2, 3))


def exported(path: Path) -> list[dict[str, Any]]:
    stream = io.BytesIO()
    jsonl.write(path, stream)
    return [parsed(line) for line in stream.getvalue().decode().splitlines()]


def parsed(line: str) -> dict[str, Any]:
    def refuse(name: str) -> None:
        raise AssertionError(f"{name} is no JSON")

    return dict(json.loads(line, parse_constant=refuse))


def of_kind(lines: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [line for line in lines if line["kind"] == kind]


@pytest.fixture
def recording(tmp_path: Path) -> Recording:
    made = Recording(tmp_path / "run.tape")
    made.writer.set_meta(
        format=1, argv=["train.py", "--lr", "ü"], tensorflow="2.21.0", python="3.11.7", tapeinspect="0.1.0"
    )
    return made


def test_meta(recording: Recording) -> None:
    (meta,) = of_kind(exported(recording.done()), "meta")
    expected = {
        "kind": "meta",
        "format": 1,
        "script": "train.py",
        "argv": ["train.py", "--lr", "ü"],
        "tensorflow": "2.21.0",
        "python": "3.11.7",
        "tapeinspect": "0.1.0",
        "exit_status": 0,
    }
    assert expected.items() <= meta.items()


def test_meta_of_a_script_without_tensorflow_that_runs(recording: Recording) -> None:
    recording.writer.set_meta(tensorflow=None, exit_status=None)
    recording.writer.commit()
    (meta,) = of_kind(exported(recording.path), "meta")
    assert (meta["tensorflow"], meta["exit_status"], meta["complete"]) == (None, None, False)


def test_steps(recording: Recording) -> None:
    for _ in range(4):
        recording.op("Mul")
    recording.step(1, 1, 2, loss=0.5)
    recording.step(2, 3, 4, loss=math.nan)
    recording.step(3, 5, None)
    steps = of_kind(exported(recording.done()), "step")
    assert steps[0] == {
        "kind": "step",
        "step": 1,
        "function": "train_step",
        "file": USER_FILE,
        "line": 5,
        "loss": 0.5,
        "ops": 2,
        "seconds": 0.5,
    }
    assert [(s["step"], s["loss"], s["ops"]) for s in steps[1:]] == [(2, None, 2), (3, None, 0)]


def test_ops(recording: Recording) -> None:
    first = recording.op("Placeholder", step=None, line=3)
    second = recording.op("MatMul", [first, first], FLOAT, tapes=[1, 2], norm=2.5)
    pair = recording.op(
        "Split", [second], FLOAT, TensorSpec("int32", None), TensorSpec("float16", ()), norm=1.0
    )
    bad = recording.op("Log", [pair])
    recording.sink("AssignVariableOp", [bad, 7])
    recording.writer.insert("health", [(pair + 2, 3, 0, 0, 4.0), (bad, 4, 2, 1, None)])
    recording.writer.insert("op_output", [(3, 1, 5)])
    ops = of_kind(exported(recording.done()), "op")

    def output(id: int, dtype: str, shape: Any, nan: Any, inf: Any, norm: Any) -> dict[str, Any]:
        return {"id": id, "dtype": dtype, "shape": shape, "nan": nan, "inf": inf, "norm": norm}

    assert ops[0] == {
        "kind": "op",
        "op": 1,
        "step": None,
        "type": "Placeholder",
        "file": USER_FILE,
        "line": 3,
        "recorded": False,
        "inputs": [],
        "outputs": [output(first, "float32", [2, 3], None, None, None)],
    }
    assert ops[1] == {
        "kind": "op",
        "op": 2,
        "step": 1,
        "type": "MatMul",
        "file": USER_FILE,
        "line": 7,
        "recorded": True,
        "inputs": [first, first],
        "outputs": [output(second, "float32", [2, 3], 0, 0, 2.5)],
    }
    assert ops[2]["outputs"] == [
        output(pair, "float32", [2, 3], 0, 0, 1.0),
        output(5, "int32", None, None, None, None),
        output(pair + 2, "float16", [], 0, 0, 4.0),
    ]
    assert ops[3]["outputs"] == [output(bad, "float32", [2, 3], 2, 1, None)]
    assert (ops[4]["type"], ops[4]["inputs"], ops[4]["outputs"]) == ("AssignVariableOp", [bad, 7], [])


def test_ops_are_those_that_the_reader_gives(recording: Recording, monkeypatch: pytest.MonkeyPatch) -> None:
    from tapeinspect.trace.reader import open_trace

    monkeypatch.setattr(jsonl, "_CHUNK", 7)
    for index in range(50):
        recording.op(
            f"Type{index % 5}", [1000 + index], *[FLOAT] * (index % 4), line=1 + index % 9, norm=float(index)
        )
    path = recording.done()
    reader = open_trace(path)
    ops = of_kind(exported(path), "op")
    assert [line["op"] for line in ops] == list(range(1, 51))
    for line in ops:
        op = reader.op(line["op"])
        assert (line["type"], line["line"], line["file"]) == (op.row.type, op.row.line, op.row.path)
        assert tuple(line["inputs"]) == op.inputs
        for found, output in zip(line["outputs"], op.outputs, strict=True):
            health = output.health
            assert (found["id"], found["dtype"]) == (output.id, output.spec.dtype)
            assert found["norm"] == (health.norm if health else None)
    reader.close()


def test_gradients(recording: Recording) -> None:
    weight = recording.variable(1, "dense/kernel", handle=500)
    recording.variable(2, "unused", handle=501)
    read = recording.op("ReadVariableOp", [weight], tapes=[1])
    loss = recording.op("Mean", [read], tapes=[1])
    recording.op("Fill")
    recording.tape(1, 1, 2)
    recording.event(1, "enter", 0)
    recording.event(1, "watch", 0, tensor=weight, variable=1)
    recording.event(1, "exit", 2)
    recording.call(1, 1, [loss], 3, 3)
    recording.gradient(1, 1, 2.5)
    recording.gradient(1, 2, None)
    recording.step(1, 1, 3)
    given, none = of_kind(exported(recording.done()), "gradient")
    assert given == {
        "kind": "gradient",
        "step": 1,
        "variable": "dense/kernel",
        "shape": [2, 3],
        "dtype": "float32",
        "norm": 2.5,
        "min": None,
        "max": None,
        "mean": None,
        "nan": 0,
        "inf": 0,
        "zeros": 0.0,
        "none_reason": None,
    }
    assert (none["variable"], none["norm"], none["nan"], none["zeros"]) == ("unused", None, 0, 0.0)
    assert set(none["none_reason"]) == {"message", "file", "line", "hint"}
    assert "unused" in none["none_reason"]["message"]


def test_gradients_outside_any_step_are_not_lost(recording: Recording) -> None:
    recording.variable(1, "weight")
    recording.op("Mul")
    recording.step(1, 1, 1)
    for call, step in ((1, 1), (2, None)):
        recording.tape(call, 1, 1, step=step)
        recording.call(call, call, [1000], None, None, step=step)
        recording.gradient(call, 1, float(call), step=step)
    gradients = of_kind(exported(recording.done()), "gradient")
    assert [(line["step"], line["norm"]) for line in gradients] == [(1, 1.0), (None, 2.0)]


def test_errors_and_findings(recording: Recording) -> None:
    message = "bad \x1b[31m shape\n\ud800"
    recording.writer.insert(
        "error", [(1, "ValueError", message.encode("utf-8", "replace").decode(), USER_FILE, 9, 3, "[]")]
    )
    recording.writer.insert("finding", [(1, "nan", "error", 3, 7, 1, 9, "first NaN", "look there")])
    lines = exported(recording.done())
    (error,) = of_kind(lines, "error")
    assert error == {
        "kind": "error",
        "type": "ValueError",
        "message": "bad \x1b[31m shape\n?",
        "file": USER_FILE,
        "line": 9,
        "step": 3,
    }
    (finding,) = of_kind(lines, "finding")
    assert finding == {
        "kind": "finding",
        "rule": "nan",
        "severity": "error",
        "step": 3,
        "file": USER_FILE,
        "line": 9,
        "message": "first NaN",
        "hint": "look there",
        "op": 7,
    }


def test_a_strangers_recording_gives_json_all_the_same(recording: Recording) -> None:
    recording.op("Mul")
    path = recording.done()
    with sqlite3.connect(path) as connection:
        connection.execute(
            """UPDATE op SET inputs_json = '[1}, "x"', step = 'text', norm = 9e999, stack = 77"""
        )
        connection.execute(
            """UPDATE kind SET type = 'a"b' || char(10), outputs_json = '[["f\\"x", [1]], 3]'"""
        )
        connection.execute(
            "INSERT INTO op VALUES (2, NULL, 'kind', 'stack', 1, 1, 1, 1, '{}', 'output', 'norm')"
        )
    connection.close()
    ops = of_kind(exported(path), "op")
    assert ops[0]["inputs"] == []
    assert (ops[0]["step"], ops[0]["type"], ops[0]["file"], ops[0]["line"]) == (None, 'a"b\n', None, None)
    assert ops[0]["outputs"][0]["norm"] is None
    assert (ops[1]["type"], ops[1]["outputs"]) == ("unknown", [])


def test_what_is_no_recording(tmp_path: Path) -> None:
    with pytest.raises(TraceError):
        jsonl.write(tmp_path / "nowhere.tape", io.BytesIO())


def test_the_command(recording: Recording) -> None:
    recording.op("Mul")
    path = recording.done()
    done = run("export", path.name, cwd=path.parent)
    assert (done.returncode, done.stderr) == (0, b"")
    assert [parsed(line) for line in done.stdout.decode().splitlines()] == exported(path)
    assert run("export", "--format", "jsonl", path.name, cwd=path.parent).stdout == done.stdout
