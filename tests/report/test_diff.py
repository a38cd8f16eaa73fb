"""A comparison of eager and traced as text and as JSON, from a recording written fact by fact."""

from __future__ import annotations

import io
import json
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tapeinspect.report import diff_json, diff_text
from tapeinspect.trace.diff_request import memory_object, memory_words
from tapeinspect.trace.differences import Memory, by_line
from tapeinspect.trace.reader import TraceReader, open_trace
from tests.trace.builders import Recording

Row = tuple[Any, ...]


GENERATED = (
    "def tf__train_step(x):\n    with ag__.FunctionScope('train_step', 'fscope') as fscope:\n"
    "        h = ag__.ld(x) * 2\n        ag__.ld(print)(ag__.ld(h))\n        return fscope.ret(h)\n"
)


def recorded(
    path: Path,
    verdict: str = "different",
    findings: Sequence[Row] = (),
    first: int | None = 2,
    code: bool = False,
) -> TraceReader:
    """A recording of one comparison of `train_step`, whose lines are 5 to 8. code: with AutoGraph's source."""
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
    if code:
        own = source.strip("\n")
        made.writer.insert("diff_code", [(1, 7)])
        made.writer.insert("ag_run", [(7, 4, "train_step", 3, 5, "traced", "", "", 9, 0.1, 0.2)])
        function = (1, 7, None, None, "train_step", "__main__", "function", "user", 3, 5, 8, None, None, 1)
        made.writer.insert("ag_function", [(*function, "converted", "", "", own, GENERATED)])
        made.writer.insert("ag_line", [(1, 1, 5), (1, 3, 6), (1, 4, 7), (1, 5, 8)])
        made.writer.insert("ag_fold", [(1, 2, 2, "scope")])
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


def test_code_shows_the_generated_source_beside(tmp_path: Path) -> None:
    """Each line with its verdict, beside what AutoGraph makes of it; one below the other where it is narrow."""
    reader = recorded(tmp_path / "a.tape", findings=[PRINT], code=True)
    wide = [" ".join(line.split()) for line in text(reader, only="code", width=140).splitlines()]
    assert "≠ 6 h = x * 2 │ 3 h = ag__.ld(x) * 2" in wide
    assert "P 7 print(h) │ 4 ag__.ld(print)(ag__.ld(h))" in wide
    assert any("⋯ scope, 1 line" in line for line in wide)
    narrow = [" ".join(line.split()) for line in text(reader, only="code", width=80).splitlines()]
    assert "≠ 6 h = x * 2" in narrow and "6 3 h = ag__.ld(x) * 2" in narrow
    whole = text(reader)
    assert "ag__" not in whole and "--only code" in whole
    assert "\x1b[31m≠" in text(reader, only="code", colour=True)


def test_code_without_the_generated_source_says_so(tmp_path: Path) -> None:
    """A recording of a comparison that was made without it."""
    found = text(recorded(tmp_path / "a.tape"), only="code")
    assert "6 ≠     h = x * 2" in found and "is not in this recording" in found


def test_json_has_both_sources(tmp_path: Path) -> None:
    """With AutoGraph's own map and the verdicts; null where the sources are not there."""
    reader = recorded(tmp_path / "a.tape", findings=[PRINT], code=True)
    (code,) = diff_json.body(reader, reader.differences.all()[-1], "code")["code"]
    assert (code["function"], code["file"], code["line"]) == ("train_step", "/home/user/step.py", 5)
    assert code["generated"] == GENERATED and code["lines"] == {"1": 5, "3": 6, "4": 7, "5": 8}
    assert code["verdicts"] == {
        "6": "differs in value", "7": "runs only while tracing", "8": "differs in ops",
    }  # fmt: skip
    without = recorded(tmp_path / "b.tape")
    assert diff_json.body(without, without.differences.all()[-1])["code"] is None


XLA_VALUES = (
    (1, 1, "output", "result", 0.0, 0.0, 0, "bit-equal", ""),
    (2, 1, "gradient", "w", 3e-8, 1e-6, 9, "rounding", ""),
    (3, 1, "variable", "w", 0.5, 0.25, 12, "real", ""),
)


def on_request(path: Path, verdict: str = "different", values: Sequence[Row] = XLA_VALUES) -> TraceReader:
    """A comparison for which XLA and Grappler were asked."""
    dropped = ("xla-drops-check", "info", 3, 6, "XLA drops this check, Assert", "check what the step returns")
    refused = (
        "xla-not-compiled",
        "warning",
        3,
        7,
        "XLA cannot compile PrintV2 of `print(h)`",
        "print it after the call",
    )
    recorded(path, findings=[dropped if verdict != "not_compiled" else refused]).close()
    with sqlite3.connect(path) as connection:
        times = (None, None) if verdict == "not_compiled" else (0.004, 1.5)
        connection.execute("INSERT INTO diff_xla VALUES (1, ?, ?, ?)", (verdict, *times))
        connection.executemany("INSERT INTO diff_xla_value VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", values)
        connection.execute("INSERT INTO diff_grappler VALUES (1, 3)")
        connection.executemany(
            "INSERT INTO diff_rewritten VALUES (?, 1, ?, ?, ?, ?, 3, 6)",
            [(1, "fused", "MatMul", "MatMul", "_FusedMatMul"), (2, "fused", "BiasAdd", "BiasAdd", "_FusedMatMul"),
             (3, "removed", "Transpose", "t", "")],
        )  # fmt: skip
    connection.close()
    return open_trace(path)


def test_text_of_xla_and_grappler(tmp_path: Path) -> None:
    """Outputs, gradients and variables against the traced step; the checks it drops; what Grappler does, by line."""
    found = text(on_request(tmp_path / "a.tape"))
    lines = found.splitlines()
    assert "XLA  differs from the traced step" in lines
    at = lines.index("XLA  differs from the traced step")
    assert lines[at + 1 : at + 5] == [
        "  outputs    1 bit-equal", "  gradients  1 rounding (up to 3e-08, relative 1e-06, 9 ULP)",
        "  variables  1 real (up to 0.5, relative 0.25, 12 ULP)",
        "    w" + " " * 40 + "real, 0.5, relative 0.25, 12 ULP",
    ]  # fmt: skip
    assert "  4 ms a batch (traced 5 ms), tracing and compiling 1.50 s" in lines
    assert "XLA drops this check, Assert" in found
    assert "After Grappler  2 fused, 1 removed" in lines
    assert any("MatMul, BiasAdd fused into _FusedMatMul" in line for line in lines)
    assert "After Grappler" in text(on_request(tmp_path / "b.tape"), only="ops")
    assert "XLA  differs" in text(on_request(tmp_path / "c.tape"), only="values")


def test_text_of_what_xla_cannot_compile(tmp_path: Path) -> None:
    """A result with its line and what to do, not an error."""
    found = text(on_request(tmp_path / "a.tape", "not_compiled", ()))
    assert "XLA  cannot be compiled" in found and "print it after the call" in found
    assert "tracing and compiling" not in found


def test_json_of_xla_and_grappler(tmp_path: Path) -> None:
    """Null where they were not asked for."""
    reader = on_request(tmp_path / "a.tape")
    found = diff_json.body(reader, reader.differences.all()[-1])
    assert (found["xla"]["verdict"], found["xla"]["compile_seconds"]) == ("different", 1.5)
    assert [value["verdict"] for value in found["xla"]["values"]] == ["bit-equal", "rounding", "real"]
    assert [r["change"] for r in found["grappler"]] == ["fused", "fused", "removed"]
    plain = recorded(tmp_path / "b.tape")
    body = diff_json.body(plain, plain.differences.all()[-1])
    assert body["xla"] is None and body["grappler"] is None


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


def test_memory_in_text_and_json(tmp_path: Path) -> None:
    """Both figures and their ratio; a small step's are no figures; null and words where it was not measured."""
    reader = recorded(tmp_path / "a.tape")
    assert "Memory not measured here: that takes a GPU" in text(reader)
    assert diff_json.body(reader, reader.differences.all()[-1])["memory"] is None
    assert memory_words(Memory("cpu", 201_330_688, 67_112_960)) == (
        "eager up to 201 MB, traced up to 67.1 MB (33% of it)"
    )
    assert memory_words(Memory("gpu", 3_000_000_000, None)) == "eager up to 3.00 GB on the GPU"
    assert memory_words(Memory("cpu", 20_000, 0)) == "eager under 1 MB, traced under 1 MB"
    assert memory_object(Memory("gpu", 30, 20)) == {"device": "gpu", "eager_bytes": 30, "traced_bytes": 20}
