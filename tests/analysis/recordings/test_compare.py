"""Two recordings held against each other."""

from __future__ import annotations

import math
import sqlite3
import struct
from collections.abc import Sequence
from pathlib import Path

import pytest

from tapeinspect.analysis.recordings import compare as module
from tapeinspect.analysis.recordings.compare import align, compare, compare_step, judge
from tapeinspect.analysis.recordings.lines import line_map
from tapeinspect.report import recordings as report
from tapeinspect.trace.reader import TraceReader, open_trace
from tapeinspect.trace.records import SourceFile, TensorSpec
from tapeinspect.trace.values import value_row
from tests.trace.builders import Recording

Op = tuple[str, int, float | None]
"""Type, line and norm."""
STEP: Sequence[Op] = [("MatMul", 7, 2.0), ("Relu", 8, 1.5), ("Relu", 8, 1.25), ("Mean", 9, 0.5)]


def record(path: Path, *steps: Sequence[Op], gradients: dict[str, float | None] | None = None) -> TraceReader:
    """A recording of these ops, with the same gradients in each step; a norm of nan: the op is bad."""
    recording = Recording(path)
    writer = recording.writer
    gradients = {"kernel": 1.0, "bias": 0.001} if gradients is None else gradients
    for index, name in enumerate(gradients, 1):
        writer.insert("variable", [(index, name, "variable", "float32", "[2]", 1, index)])
    row = 0
    for step, ops in enumerate(steps, 1):
        first = recording.ops + 1
        for type, line, norm in ops:
            bad = norm is not None and math.isnan(norm)
            made = recording.op(
                type, (), TensorSpec("float32", (2,)), line=line, step=step, norm=None if bad else norm
            )
            if bad:
                writer.insert("health", [(made, recording.ops, 1, 0, None)])
        for index, norm in enumerate(gradients.values(), 1):
            row += 1
            form = "none" if norm is None else "dense"
            figures = (norm, -1.0, 1.0, 0.0, 0, 0, 0.0, None)
            writer.insert("gradient", [(row, step, step, index, form, None, *figures)])
        span = (first, recording.ops, len(ops), step * 10, 0.1, ops[-1][2], "[]", 1.0)
        writer.insert("step", [(step, "call", "train_step", 1, 5, 1, *span)])
    writer.commit()
    writer.close()
    return open_trace(path)


@pytest.fixture
def first(tmp_path: Path) -> TraceReader:
    return record(tmp_path / "a.tape", STEP, STEP)


def test_a_recording_is_the_same_as_itself(first: TraceReader) -> None:
    found = compare(first, first)
    assert (found.verdict, found.facts, found.edited) == ("same", (), ())
    assert [(step.same, step.verdict) for step in found.steps] == [(4, "same"), (4, "same")]


def test_the_first_op_whose_figures_differ(first: TraceReader, tmp_path: Path) -> None:
    other = record(tmp_path / "b.tape", STEP, [STEP[0], ("Relu", 8, 1.5), ("Relu", 8, 1.3), ("Mean", 9, 0.6)])
    found = compare(first, other)
    step = found.first("real")
    assert step is not None and step.step == 2 and step.real == 2
    assert step.first_value is not None and step.first_value.second is not None
    assert (step.first_value.any.type, step.first_value.second.norm) == ("Relu", 1.3)
    assert step.loss == "real"


def test_rounding_is_told_from_a_difference(first: TraceReader, tmp_path: Path) -> None:
    other = record(tmp_path / "b.tape", [("MatMul", 7, 2.000001), *STEP[1:]], STEP)
    assert compare(first, other).verdict == "rounding"
    assert compare(first, other, tolerance=1e-9).verdict == "real"


def test_ops_that_only_one_recording_ran(first: TraceReader, tmp_path: Path) -> None:
    other = record(tmp_path / "b.tape", [STEP[0], ("Log", 8, 3.0), *STEP[1:]], STEP[:-1])
    one, two = compare(first, other).steps
    assert (one.same, one.only_first, one.only_second) == (4, 0, 1)
    assert one.first_op is not None and one.first_op.first is None and one.first_op.any.type == "Log"
    assert (two.same, two.only_first, two.only_second) == (3, 1, 0)


def test_nan_in_one_of_them(first: TraceReader, tmp_path: Path) -> None:
    other = record(tmp_path / "b.tape", [STEP[0], ("Relu", 8, math.nan), *STEP[2:]], STEP)
    pair = compare(first, other).steps[0].first_value
    assert pair is not None and pair.verdict == "real" and pair.second is not None and pair.second.bad
    assert "NaN or Inf in the second only" in report.text(compare(first, other), ("a", "b"))


def test_small_gradients_are_judged_against_all_of_them(first: TraceReader, tmp_path: Path) -> None:
    noise = record(tmp_path / "b.tape", STEP, STEP, gradients={"kernel": 1.0, "bias": 0.001003})
    assert compare(first, noise).steps[0].gradients[1].verdict == "rounding"
    apart = record(tmp_path / "c.tape", STEP, STEP, gradients={"kernel": 1.0, "bias": 0.00102})
    assert compare(first, apart).steps[0].gradients[1].verdict == "real"


def test_a_gradient_that_is_none_or_missing(first: TraceReader, tmp_path: Path) -> None:
    other = record(tmp_path / "b.tape", STEP, STEP, gradients={"kernel": None, "scale": 2.0})
    notes = {pair.variable: pair.note for pair in compare(first, other).steps[0].gradients}
    assert notes == {
        "kernel": "finite in the first, None in the second",
        "bias": "only in the first recording",
        "scale": "only in the second recording",
    }


def test_fewer_batches_are_a_difference_unless_only_so_many_are_asked_for(
    first: TraceReader, tmp_path: Path
) -> None:
    other = record(tmp_path / "b.tape", STEP)
    assert compare(first, other).verdict == "real"
    assert compare(first, other, steps=1).verdict == "same"


def test_an_edit_moves_lines_without_a_difference() -> None:
    before = SourceFile(1, "/a/train.py", "user", "import x\na = 1\nb = a\nc = b\n")
    after = SourceFile(4, "/b/train.py", "user", "import x\nimport y\na = 1\nb = a + 1\nc = b\n")
    lines = line_map([before], [after])
    assert lines.place("/a/train.py", 2) == ("/b/train.py", 3)
    assert lines.place("/a/train.py", 3) == ("/b/train.py", 4)
    assert lines.place("/a/train.py", 4) == ("/b/train.py", 5)
    assert lines.edited == (("/a/train.py", 2),)


def test_files_of_one_name_are_not_guessed_at() -> None:
    first = [SourceFile(1, "/a/train.py", "user", "x")]
    second = [SourceFile(1, "/b/train.py", "user", "x"), SourceFile(2, "/c/train.py", "user", "x")]
    assert line_map(first, second).files == {}


def test_long_batches_are_aligned_by_place(
    first: TraceReader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = record(tmp_path / "b.tape", [("Log", 7, 1.0), *STEP[1:], ("Relu", 8, 9.0)])
    rows = [reader.rows(range(1, reader.step(1).last_op + 1)) for reader in (first, other)]  # type: ignore[operator]
    lines = line_map(first.files(), other.files())
    exact = [
        (pair.first and pair.first.type, pair.second and pair.second.type) for pair in align(*rows, lines)
    ]
    monkeypatch.setattr(module, "_QUADRATIC", 0)
    quick = [
        (pair.first and pair.first.type, pair.second and pair.second.type) for pair in align(*rows, lines)
    ]
    assert sorted(exact, key=str) == sorted(quick, key=str)


def test_figures() -> None:
    assert judge(1.0, 1.0, 1e-5) == ("same", 0.0)
    assert judge(math.nan, math.nan, 1e-5)[0] == "same"
    assert judge(1.0, math.inf, 1e-5)[0] == "real"
    assert judge(None, 1.0, 1e-5)[0] == "real"
    assert judge(0.0, 1e-9, 1e-5, slack=1e-8)[0] == "rounding"


def test_as_text_and_as_json(first: TraceReader, tmp_path: Path) -> None:
    other = record(
        tmp_path / "b.tape", STEP, [STEP[0], ("Relu", 8, 1.6), *STEP[2:]], gradients={"kernel": 1.5}
    )
    found = compare(first, other)
    lines = report.text(found, ("a.tape", "b.tape")).splitlines()
    assert lines[0] == "a.tape against b.tape: different from batch 1 on"
    assert any(
        "first op that differs: Relu at train.py:8, norm 1.5 | 1.6, 0.063 apart" in line for line in lines
    )
    assert any("gradient kernel: norm 1 | 1.5  different" in line for line in lines)
    assert "  first difference: in ops none, in values batch 2, in gradients batch 1" in lines
    body = report.json_body(found)
    assert body["verdict"] == "different"
    assert body["first_batches"] == {"ops": None, "values": 2, "gradients": 1}
    assert body["gradients"][0] == {
        "variable": "kernel", "max_abs": 0.5, "max_rel": pytest.approx(1 / 3), "ulp": None, "verdict": "real",
        "compared": "norms",
    }  # fmt: skip
    assert report.json_body(compare(first, first))["first_difference"] is None
    assert "\x1b[31m" in report.text(found, ("a", "b"), colour=True)


def test_elements_are_compared_where_both_hold_them(tmp_path: Path) -> None:
    """Norms hide what elements tell, and a bit of the last place is rounding; the rest is compared by norms."""
    values = {"MatMul": (1.0, 2.0), "Relu": (2.0, 1.0)}
    first = stored(tmp_path / "a.tape", values)
    second = stored(tmp_path / "b.tape", {"MatMul": (1.0, 2.0 + 2**-22), "Relu": (1.0, 2.0)})
    found, pairs = compare_step(first, second, 1, line_map([], []))
    assert [(p.any.type, p.verdict, p.far and p.far.ulp) for p in pairs][:2] == [
        ("MatMul", "rounding", 1), ("Relu", "real", 1 << 23),
    ]  # fmt: skip
    assert pairs[3].far is None and pairs[3].verdict == "same"
    assert found.elements == 2
    assert pairs[1].relative == 0.0  # the norms are the same
    told = report.text(compare(first, second), ("a", "b"))
    assert "compared element by element where both hold the values (2 of 4 pairs of ops" in told
    assert "Relu at train.py:8, elements up to 1 apart, relative 0.5, 8,388,608 ULP" in told
    alone = compare(first, first)
    assert alone.verdict == "same" and alone.steps[0].elements == 2


def test_gradients_are_compared_by_elements(tmp_path: Path) -> None:
    """Judged against all gradients: what is left of one that is zero is noise."""
    grads = {"kernel": (3.0, 4.0), "bias": (1e-9, 0.0)}
    first = stored(tmp_path / "a.tape", {}, grads)
    second = stored(tmp_path / "b.tape", {}, {"kernel": (4.0, 3.0), "bias": (0.0, 1e-9)})
    found = compare(first, second)
    (step,) = found.steps
    assert [(g.variable, g.verdict, g.far and g.far.max_abs) for g in step.gradients] == [
        ("kernel", "real", 1.0), ("bias", "rounding", pytest.approx(1e-9)),
    ]  # fmt: skip
    body = report.json_body(found)["gradients"]
    assert (body[0]["max_abs"], body[0]["compared"], body[0]["ulp"]) == (1.0, "elements", 1 << 22)


def stored(
    path: Path, outputs: dict[str, tuple[float, ...]], gradients: dict[str, tuple[float, ...]] | None = None
) -> TraceReader:
    """A recording of one batch that holds the values of some ops and gradients."""
    record(path, STEP).close()
    with sqlite3.connect(path) as connection:
        number = 1000
        for type, values in outputs.items():
            made = "SELECT op.output FROM op JOIN kind ON kind.id = op.kind WHERE type = ? LIMIT 1"
            (tensor,) = connection.execute(made, (type,)).fetchone()
            _store(connection, tensor, values)
        for variable, values in (gradients or {}).items():
            number += 1
            _store(connection, number, values)
            connection.execute(
                "UPDATE gradient SET tensor = ?, norm = ? WHERE variable ="
                " (SELECT id FROM variable WHERE name = ?)",
                (number, math.hypot(*values), variable),
            )
    connection.close()
    return open_trace(path)


def _store(connection: sqlite3.Connection, tensor: int, values: tuple[float, ...]) -> None:
    data = struct.pack(f"<{len(values)}f", *values)
    row = value_row(tensor, None, 1, TensorSpec("float32", (len(values),)), data)
    connection.execute(f"INSERT INTO value VALUES ({','.join('?' * len(row))})", row)


def test_code_is_aligned_across_edits(tmp_path: Path) -> None:
    """Lines edited, removed and added stand beside each other, each with what its ops came to."""
    head = "import tf\n\n\ndef train_step(x):\n    # the loss\n    p = x\n    y = x @ w\n"
    bodies = (["p = relu(y)"], ["z = log(p)", "p = relu(z)"])
    sources = [head + "".join(f"    {line}\n" for line in [*body, "return mean(p)"]) for body in bodies]
    step = [("MatMul", 7, 2.0), ("Log", 8, 1.0), ("Relu", 9, 1.5), ("Relu", 9, 1.25), ("Mean", 10, 0.75)]
    readers = [
        record(tmp_path / name, ops)
        for name, ops in (("a.tape", STEP), ("b.tape", step))  # type: ignore[list-item]
    ]
    for name, source in zip(("a.tape", "b.tape"), sources, strict=True):
        with sqlite3.connect(tmp_path / name) as connection:
            connection.execute("UPDATE file SET source = ?", (source,))
        connection.close()
    readers = [open_trace(tmp_path / name) for name in ("a.tape", "b.tape")]
    found = compare(*readers)
    (file,) = found.code
    assert [(line.first, line.second, line.edit, line.mark) for line in file.lines] == [
        (4, 4, "same", ""), (5, 5, "same", ""), (6, 6, "same", ""), (7, 7, "same", "="),
        (8, 8, "edited", "±"), (None, 9, "added", "±"), (9, 10, "same", "≠"),
    ]  # fmt: skip
    told = report.text(found, ("a", "b"), only="code").splitlines()
    assert "8    - ±     p = relu(y)" in told and "9 10   ≠     return mean(p)" in told, told
    (body,) = report.json_body(found)["code"]
    assert body["lines"][-1] == {
        "first": 9, "second": 10, "edit": "same", "source": "    return mean(p)",
        "other_source": "    return mean(p)", "verdict": "other figures",
    }  # fmt: skip
