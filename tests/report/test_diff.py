"""A comparison of eager and traced as text and as JSON, from a recording written fact by fact."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tapeinspect.report import diff_json, diff_text
from tapeinspect.trace.differences import by_line
from tapeinspect.trace.reader import TraceReader, open_trace
from tests.trace.builders import Recording

Row = tuple[Any, ...]


def recorded(
    path: Path, verdict: str = "different", findings: Sequence[Row] = (), first: int | None = 2
) -> TraceReader:
    """A recording of one comparison of `train_step`, whose lines are 5 to 8."""
    made = Recording(path)
    source = "\n" * 4 + "def train_step(x):\n    h = x * 2\n    print(h)\n    return h\n"
    made.writer.insert("file", [(3, "/home/user/step.py", "user", source)])
    made.writer.insert(
        "diff",
        [(1, 4, "train_step", 3, 5, verdict, None, 0.02, 0.005, 0.3, 4, first, '["a note\\u001b[2J"]')],
    )
    far = (0.25, 0.5, 12, "real")
    same = (0.0, 0.0, 0, "bit-equal")
    none = (None,) * 4
    made.writer.insert(
        "diff_op",
        [
            (1, 1, "equal", "Mul", None, 3, 6, None, None, 0, "float32", "[2]", *same, ""),
            (
                2,
                1,
                "equal",
                "AddV2",
                None,
                3,
                6,
                None,
                "/lib/keras/layer.py:12",
                0,
                "float32",
                "[2]",
                *far,
                "",
            ),
            (
                3,
                1,
                "folded",
                "Const",
                None,
                3,
                6,
                None,
                None,
                0,
                None,
                None,
                *none,
                "a constant of the graph",
            ),
            (4, 1, "eager", "Relu", None, 3, 8, None, None, 0, "float32", "[2]", *none, ""),
        ],
    )
    made.writer.insert(
        "diff_value",
        [
            (1, 1, "output", "result", 1, *far, ""),
            (2, 1, "gradient", "w", 1, 1e-9, 1.0, 900, "rounding", "zero up to rounding"),
            (3, 1, "variable", "w", 1, *same, ""),
            (4, 1, "variable", "w", 2, *far, ""),
        ],
    )
    made.writer.insert("diff_finding", [(i, 1, *finding) for i, finding in enumerate(findings, 1)])
    made.writer.commit()
    made.writer.close()
    return open_trace(path)


PRINT = ("python-print", "warning", 3, 7, "each eager call prints", "use tf.print")


def text(reader: TraceReader, **options: Any) -> str:
    """The report."""
    stream = io.StringIO()
    diff_text.write(reader, reader.differences.all()[-1], stream, **options)
    return stream.getvalue()


def test_text_tells_everything(tmp_path: Path) -> None:
    """Verdict, findings, marked source, ops, values, speed and notes."""
    found = text(recorded(tmp_path / "a.tape", findings=[PRINT]))
    lines = found.splitlines()
    assert lines[0] == "train_step (/home/user/step.py:5), eager against traced, on batch 4"
    assert lines[1] == "DIFFERENT"
    assert "/home/user/step.py:7  warning  python-print" in lines
    assert "    instead: use tf.print" in lines
    assert "5   def train_step(x):" in lines
    assert "6 ≠     h = x * 2" in lines
    assert "7 P     print(h)" in lines
    assert "8 ±     return h" in lines
    assert "Ops  2 in both, 1 only eager, 1 folded (constants, shapes, plumbing)" in found
    assert (
        "AddV2 in /lib/keras/layer.py:12  real, 0.25, relative 0.5, 12 ULP  <- the first that differs"
        in found
    )
    assert "  gradients  1 rounding (up to 1e-09, relative 1, 900 ULP)" in lines
    assert "(zero up to rounding)" in found
    assert "call 2: variable w" in found
    assert (
        "eager 20 ms a batch, traced 5 ms (4.0x as fast), tracing 300 ms: pays off from batch 20 on" in found
    )


def test_text_shows_no_control_characters_and_no_colour_unasked(tmp_path: Path) -> None:
    """A recording of a stranger's cannot write to the terminal what it likes."""
    reader = recorded(tmp_path / "a.tape", findings=[("x", "error", 3, 6, "mess\x1b]0;title\x07age", "")])
    assert "\x1b" not in text(reader)
    coloured = text(reader, colour=True)
    assert "\x1b[31;1mDIFFERENT\x1b[0m" in coloured
    assert "\x1b]0;" not in coloured and "\x1b[2J" not in coloured


@pytest.mark.parametrize(
    ("only", "there", "absent"),
    [
        ("code", ["Code"], ["Ops", "Values", "Speed"]),
        ("ops", ["Ops", "a constant of the graph"], ["Code", "Values", "python-print"]),
        ("values", ["Values"], ["Code", "Ops", "python-print"]),
        ("behaviour", ["python-print"], ["Code", "Ops", "Values", "Speed"]),
    ],
)
def test_only_shows_one_part(tmp_path: Path, only: str, there: list[str], absent: list[str]) -> None:
    """The verdict is always there, and one part of the rest."""
    found = text(recorded(tmp_path / "a.tape", findings=[PRINT]), only=only)
    assert "DIFFERENT" in found
    assert all(word in found for word in there)
    assert not any(word in found for word in absent)


def test_text_of_what_is_the_same(tmp_path: Path) -> None:
    """It says so."""
    found = text(recorded(tmp_path / "a.tape", "same", first=None))
    assert "SAME" in found and "Nothing differs in code, values or behaviour." in found


def test_json_has_the_fields_of_the_contract(tmp_path: Path) -> None:
    """One object, with no NaN in it."""
    reader = recorded(tmp_path / "a.tape", findings=[PRINT])
    stream = io.StringIO()
    diff_json.write(reader, reader.differences.all()[-1], stream)
    found = json.loads(stream.getvalue())
    assert found["verdict"] == "different"
    assert found["findings"] == [
        {
            "rule": "python-print",
            "severity": "warning",
            "file": "/home/user/step.py",
            "line": 7,
            "message": "each eager call prints",
            "hint": "use tf.print",
        }
    ]
    first = found["first_difference"]
    assert (first["file"], first["line"], first["type"], first["max_abs"]) == (
        "/home/user/step.py",
        6,
        "AddV2",
        0.25,
    )
    assert found["gradients"] == [
        {"variable": "w", "max_abs": 1e-9, "max_rel": 1.0, "ulp": 900, "verdict": "rounding"}
    ]
    assert (found["eager_seconds"], found["traced_seconds"], found["trace_seconds"]) == (0.02, 0.005, 0.3)
    assert found["break_even_batches"] == 20


def test_lines_are_summed_up(tmp_path: Path) -> None:
    """Ops of each line, folded ones apart, with the worst verdict."""
    reader = recorded(tmp_path / "a.tape")
    six, eight = by_line(reader.differences.ops(1))
    assert (six.line, six.eager, six.traced, six.folded, six.verdict) == (6, 2, 2, 1, "real")
    assert (eight.line, eight.eager, eight.traced, eight.only_eager, eight.verdict) == (8, 1, 0, 1, None)


def test_damaged_rows_are_read_as_unknown(tmp_path: Path) -> None:
    """Whatever has the wrong type is unknown, and nothing raises."""
    made = Recording(tmp_path / "a.tape")
    junk = b"\xff\x00"
    made.writer.insert("diff", [(1, junk, junk, junk, junk, junk, junk, junk, junk, junk, junk, junk, junk)])
    made.writer.insert("diff_op", [(1, 1, *[junk] * 15)])
    made.writer.insert("diff_value", [(1, 1, *[junk] * 8)])
    made.writer.insert("diff_finding", [(1, 1, *[junk] * 6)])
    made.writer.commit()
    made.writer.close()
    reader = open_trace(tmp_path / "a.tape")
    assert "DIFFERENT" in text(reader)
    diff_json.body(reader, reader.differences.all()[0])
