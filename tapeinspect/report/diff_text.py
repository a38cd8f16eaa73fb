"""A comparison of eager and traced as text for a terminal or the log of a CI job."""

from __future__ import annotations

import math
import os
import re
import textwrap
from collections.abc import Iterable, Iterator
from typing import Final, TextIO

from tapeinspect.report import diff_code
from tapeinspect.report.colours import Painter
from tapeinspect.trace.diff_request import XLA_WORDS, grouped, memory_words, tally
from tapeinspect.trace.differences import (
    Compiled,
    Difference,
    DiffFinding,
    DiffOp,
    DiffValue,
    Far,
    Rewritten,
)
from tapeinspect.trace.reader import TraceReader
from tapeinspect.trace.records import LoopBody

_COLOURS: Final = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "cyan": "36"}
_COLOUR: Final = re.compile(r"(\x1b\[[0-9;]*m)")
_VERDICTS: Final = {
    "same": ("green", "SAME"),
    "different": ("red", "DIFFERENT"),
    "fails_to_trace": ("red", "FAILS TO TRACE"),
}
_SEVERITIES: Final = {"error": "red", "warning": "yellow", "info": "cyan"}
_BEHAVIOUR: Final = frozenset({
    "python-side-effect", "python-print", "frozen-random", "frozen-value", "frozen-time", "leaked-tensor", "retraces",
    "variable-creation", "python-iterator", "changed-argument", "exception-control-flow",
})  # fmt: skip
_MOST_OPS: Final = 30
_WIDTH: Final = 100


class _Style:
    def __init__(self, colour: bool) -> None:
        self._colour = colour

    def __call__(self, text: str, *names: str) -> str:
        if not self._colour or not names:
            return text
        codes = ";".join(_COLOURS[name] for name in names)
        return f"\x1b[{codes}m{text}\x1b[0m"


def write(
    reader: TraceReader,
    diff: Difference,
    stream: TextIO,
    *,
    colour: bool = False,
    only: str | None = None,
    width: int = 160,
) -> None:
    """Write a comparison. only: 'code', 'ops', 'values' or 'behaviour', that part alone; width: columns for code."""
    for line in lines(reader, diff, colour, only, width):
        stream.write(_clean(line, colour) + "\n")


def _clean(text: str, colour: bool) -> str:
    """Control characters of the script's made visible; colours stay where they are wanted."""
    parts = _COLOUR.split(text) if colour else [text]
    return "".join(p if colour and _COLOUR.fullmatch(p) else _plain(p) for p in parts)


def _plain(text: str) -> str:
    return "".join(c if c.isprintable() or c == "\t" else "\ufffd" for c in text)


def lines(reader: TraceReader, diff: Difference, colour: bool, only: str | None, width: int) -> Iterator[str]:
    """The report, line by line."""
    style = _Style(colour)
    ops, values = reader.differences.ops(diff.id), reader.differences.values(diff.id)
    findings = reader.differences.findings(diff.id)
    body = reader.loop_bodies.of_step(diff.step)
    yield from _head(diff, body, style)
    shown = [f for f in findings if only != "behaviour" or f.rule in _BEHAVIOUR]
    if only in (None, "behaviour", "code"):
        yield from _findings(shown, style, only)
    if only in (None, "code"):
        yield from diff_code.lines(reader, diff, Painter(colour), only == "code", width, body)
    if only in (None, "ops") and ops:
        yield from _ops(diff, ops, style, everything=only == "ops")
    if only in (None, "values") and values:
        yield from _values(values, style, everything=only == "values")
    compiled, rewritten = reader.differences.compiled(diff.id), reader.differences.rewritten(diff.id)
    if only in (None, "values") and compiled is not None:
        yield from _xla(diff, compiled, style, everything=only == "values")
    if only in (None, "ops") and rewritten is not None:
        yield from _grappler(rewritten, style)
    if only is None:
        yield from _speed(diff, style)
        if diff.eager_seconds is not None:
            yield style("Memory", "bold") + f" {memory_words(reader.differences.memory(diff.id))}"
    for note in diff.notes:
        yield from _wrapped("note: ", note)
    if only in (None, "code") and body is not None and body.code:
        yield ""
        mend = ", which can be traced once that is mended" if diff.verdict == "fails_to_trace" else ""
        yield style(f"The loop with its body as a function{mend}", "bold")
        yield from body.code.rstrip("\n").split("\n")


def _head(diff: Difference, body: LoopBody | None, style: _Style) -> Iterator[str]:
    where = f"{_short(diff.path)}:{diff.line}" if diff.path else "?"
    what = diff.function if body is None else body.title
    yield style(f"{what} ({where}), eager against traced, on batch {diff.step}", "bold")
    colour, word = _VERDICTS[diff.verdict]
    yield style(word, colour, "bold")


def _findings(findings: list[DiffFinding], style: _Style, only: str | None) -> Iterator[str]:
    yield ""
    if not findings:
        what = "behaviour" if only == "behaviour" else "code, values or behaviour"
        yield f"Nothing differs in {what}."
    for f in findings:
        where = f"{_short(f.path)}:{f.line}" if f.path else "-"
        yield f"{style(where, 'bold')}  {style(f.severity, _SEVERITIES[f.severity])}  {style(f.rule, 'dim')}"
        yield from _wrapped("    ", f.message)
        if f.hint:
            yield from _wrapped("    instead: ", f.hint)


def _wrapped(prefix: str, text: str) -> Iterator[str]:
    width = max(40, _WIDTH - len(prefix))
    for index, line in enumerate(textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False)):
        yield (prefix if not index else " " * len(prefix)) + line


def _ops(diff: Difference, ops: list[DiffOp], style: _Style, everything: bool) -> Iterator[str]:
    count = {
        kind: sum(op.relation == kind for op in ops)
        for kind in ("equal", "moved", "eager", "traced", "folded")
    }
    parts = [f"{count['equal']} in both"]
    for kind, words in (("moved", "moved"), ("eager", "only eager"), ("traced", "only traced")):
        if count[kind]:
            parts.append(f"{count[kind]} {words}")
    if count["folded"]:
        parts.append(f"{count['folded']} folded (constants, shapes, plumbing)")
    yield ""
    yield style("Ops", "bold") + f"  {', '.join(parts)}; values: {_tally(op.far for op in ops)}"
    odd = [op for op in ops if op.relation in ("eager", "traced", "moved") or op.far.verdict == "real"]
    rest = [op for op in ops if op.relation == "folded"] if everything else []
    for op in (odd + rest)[: None if everything else _MOST_OPS]:
        where = f"{_short(op.path)}:{op.line}" if op.path else "-"
        library = f" in {_short(op.library)}" if op.library else ""
        what = {"eager": "only eager", "traced": "only traced"}.get(op.relation, op.relation)
        why = f": {op.why}" if op.why else ""
        first = "  <- the first that differs" if op.id == diff.first_op else ""
        figure = f"  {_figure(op.far)}" if op.far.verdict == "real" else ""
        yield f"  {where:<24} {what:<12} {op.type}{library}{why}{figure}{style(first, 'red')}"
    if not everything and len(odd) > _MOST_OPS:
        yield f"  and {len(odd) - _MOST_OPS} more: tapeinspect diff --only ops"


def _values(values: list[DiffValue], style: _Style, everything: bool) -> Iterator[str]:
    yield ""
    calls = max(v.call for v in values)
    first = [v for v in values if v.call == 1]
    yield style("Values", "bold") + f"  after the first of {calls} call{'s' * (calls > 1)} each"
    for kind in ("output", "gradient", "variable"):
        of_kind = [v for v in first if v.kind == kind]
        if of_kind:
            yield f"  {kind + 's':<10} {_tally(v.far for v in of_kind)}"
        for v in of_kind:
            if everything or v.far.verdict == "real" or v.note:
                note = f"  ({v.note})" if v.note else ""
                colour = ("red",) if v.far.verdict == "real" else ()
                yield style(f"    {v.name:<40} {_figure(v.far)}{note}", *colour)
    later = [v for v in values if v.call > 1 and v.far.verdict == "real"]
    for v in later[:10]:
        yield style(f"    call {v.call}: {v.kind} {v.name:<32} {_figure(v.far)}", "red")


def _xla(diff: Difference, compiled: Compiled, style: _Style, everything: bool) -> Iterator[str]:
    """The compiled step beside the traced one."""
    colour = "green" if compiled.verdict == "same" else "yellow" if compiled.verdict == "random" else "red"
    yield ""
    yield style("XLA", "bold") + "  " + style(XLA_WORDS[compiled.verdict], colour)
    for kind in ("output", "gradient", "variable"):
        of_kind = [v for v in compiled.values if v.kind == kind]
        if of_kind:
            yield f"  {kind + 's':<10} {_tally(v.far for v in of_kind)}"
        for v in of_kind:
            if everything or v.far.verdict == "real":
                colours = ("red",) if v.far.verdict == "real" else ()
                yield style(f"    {v.name:<40} {_figure(v.far)}", *colours)
    if compiled.seconds is not None and compiled.compile_seconds is not None:
        beside = f" (traced {_seconds(diff.traced_seconds)})" if diff.traced_seconds is not None else ""
        took = _seconds(compiled.compile_seconds)
        yield f"  {_seconds(compiled.seconds)} a batch{beside}, tracing and compiling {took}"


def _grappler(rewritten: list[Rewritten], style: _Style) -> Iterator[str]:
    """What Grappler made of the graph."""
    yield ""
    yield style("After Grappler", "bold") + f"  {tally(rewritten)}"
    for path, line, text in grouped(rewritten):
        where = f"{_short(path)}:{line}" if path else "-"
        yield from _wrapped(f"  {where:<24} ", text)


def _tally(figures: Iterable[Far]) -> str:
    """How many of each verdict, and how far the furthest are apart."""
    found = [far for far in figures if far.verdict is not None]
    parts = []
    for verdict in ("bit-equal", "rounding", "real"):
        of_kind = [far for far in found if far.verdict == verdict]
        if not of_kind:
            continue
        furthest = max(of_kind, key=lambda far: far.max_abs if far.max_abs is not None else math.inf)
        parts.append(
            f"{len(of_kind)} {verdict}"
            + ("" if verdict == "bit-equal" else f" (up to {_distance(furthest)})")
        )
    return ", ".join(parts) or "none compared"


def _figure(far: Far) -> str:
    return far.verdict or "not compared" if far.verdict == "bit-equal" else f"{far.verdict}, {_distance(far)}"


def _distance(far: Far) -> str:
    if far.max_abs is None:
        return "not to be measured"
    parts = [f"{far.max_abs:.3g}"]
    if far.max_rel is not None:
        parts.append(f"relative {far.max_rel:.2g}")
    if far.ulp is not None:
        parts.append(f"{far.ulp:,} ULP")
    return ", ".join(parts)


def _speed(diff: Difference, style: _Style) -> Iterator[str]:
    if diff.eager_seconds is None:
        return
    yield ""
    text = f"  eager {_seconds(diff.eager_seconds)} a batch"
    if diff.traced_seconds is not None and diff.trace_seconds is not None:
        ratio = diff.eager_seconds / max(diff.traced_seconds, 1e-9)
        text += f", traced {_seconds(diff.traced_seconds)} ({ratio:.1f}x as fast)"
        text += f", tracing {_seconds(diff.trace_seconds)}"
        even = diff.break_even
        text += f": pays off from batch {math.ceil(even):,} on" if even is not None else ": does not pay off"
    yield style("Speed", "bold") + text


def _seconds(seconds: float) -> str:
    return f"{seconds:.2f} s" if seconds >= 1 else f"{seconds * 1e3:.3g} ms"


def _short(path: str | None) -> str:
    """A path as a person writes it: from the current directory, or from the library's package on."""
    if path is None:
        return "?"
    for mark in ("/site-packages/", "/dist-packages/"):
        if mark in path:
            return path.rpartition(mark)[2]
    try:
        near = os.path.relpath(path)
    except (ValueError, OSError):
        return path
    return near if not near.startswith("../..") else path
