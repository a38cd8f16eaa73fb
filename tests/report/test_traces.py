"""The traces of a run in the reports in words."""

from __future__ import annotations

import re
from html import escape
from pathlib import Path

from tapeinspect.report import autograph_html, traces
from tapeinspect.report.autograph import load
from tapeinspect.report.autograph_text import write
from tapeinspect.report.colours import Painter
from tapeinspect.trace.reader import open_trace
from tapeinspect.trace.records import FunctionTrace
from tests.report.test_text import report
from tests.ui import build_autograph


def made(number: int, cause: str = "value", kind: str = "function", why: str = "n was 1.") -> FunctionTrace:
    return FunctionTrace(
        number, "step", "/x/train.py", 20, "", 7, 1, 0, kind=kind, object=1, number=number, seconds=0.5,  # type: ignore[arg-type]
        caller_path="/x/train.py", caller_line=40, cause=cause, why=why, advice="Pass a tensor.",
        checked="Tried: one trace.",
    )  # fmt: skip


def test_a_retrace_says_why_and_what_saves_it() -> None:
    assert list(traces.lines([made(1, "first", why="The first trace."), made(2)], 100)) == [
        "Traces: 2 of 1 tf.function, 1 retrace",
        "  step (train.py:20) · trace 1 · 0.50 s · 7 ops · called at train.py:40",
        "  step (train.py:20) · trace 2 · 0.50 s · 7 ops · called at train.py:40",
        "    n was 1.",
        "    → Pass a tensor. Tried: one trace.",
    ]


def test_many_are_counted_and_those_of_a_library_are_left_out() -> None:
    lines = list(traces.lines([made(n) for n in range(1, 101)] + [made(1, kind="library")], 100))
    assert (
        lines[0] == "Traces: 100 of 1 tf.function, 100 retraces" and lines[-1] == "  and 60 more, 60 retraces"
    )
    assert list(traces.lines([made(1, kind="library")], 100)) == []


def test_the_page_has_them_with_reason_and_advice(tmp_path: Path) -> None:
    path = build_autograph.recording(tmp_path / "a.tape", traces=True)
    reader = open_trace(path)
    try:
        page, one = (autograph_html.write(load(reader, name)) for name in (None, "clip"))
        again = next(trace for trace in reader.traces() if trace.retrace)
    finally:
        reader.close()
    table = page[page.index("table class='list traces'") :]
    assert "2 of 1 tf.function, 1 retrace</h2>" in page
    rows = re.findall(r"<tr.*?</tr>", table, re.DOTALL)
    assert len(rows) == 3 and "first trace" in rows[1] and "class=again" not in rows[1]
    assert escape(again.why) in rows[2] and escape(again.advice) in rows[2] and "class=again" in rows[2]
    assert all(escape(f"{name}: {text}") in rows[2] for name, text in again.arguments)
    assert "Traces:" not in one, "of one function only its own"


def test_both_reports_have_them(tmp_path: Path) -> None:
    path = build_autograph.recording(tmp_path / "a.tape", traces=True)
    reader = open_trace(path)
    try:
        text, one = (write(load(reader, name), 120, True, Painter(False)) for name in (None, "clip"))
    finally:
        reader.close()
    for said in (text, report(path)):
        assert "2 of 1 tf.function, 1 retrace" in said and "images has the shape (7, 784)" in said
    assert "Traces" not in one, "of one function only its own"
