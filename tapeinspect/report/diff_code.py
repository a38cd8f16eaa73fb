"""The code of a comparison of eager and traced: the user's lines with their verdicts, the generated ones beside."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from tapeinspect.analysis.diff_marks import MARKS, Place, calls_of, extent, graver, line_marks
from tapeinspect.report.autograph import FunctionReport, function_reports
from tapeinspect.report.autograph_text import sources
from tapeinspect.report.colours import Painter
from tapeinspect.trace.differences import Difference, by_line
from tapeinspect.trace.reader import TraceReader
from tapeinspect.trace.records import LoopBody


def marks_of(reader: TraceReader, diff: Difference) -> dict[Place, str]:
    """The verdicts of a comparison's lines."""
    ops, findings = reader.differences.ops(diff.id), reader.differences.findings(diff.id)
    return line_marks(diff, by_line(ops), findings)


def _gutter(reader: TraceReader, diff: Difference, marks: dict[Place, str]) -> dict[Place, str]:
    """The verdicts as they stand before the lines: `↓≠` where it is what the line calls that has it."""
    called = calls_of(reader, diff, marks)
    below = {place: f"↓{mark}" for place, (mark, _) in called.items() if graver(mark, marks.get(place, ""))}
    return marks | below


def functions(reader: TraceReader, diff: Difference) -> list[FunctionReport]:
    """The user's functions that AutoGraph converted for the comparison, the step first; none where it was not asked."""
    run = reader.differences.run_of(diff.id)
    if run is None:
        return []
    found = [f for f in function_reports(reader, run) if f.function.role == "user"]
    return sorted(found, key=lambda f: (f.function.path, f.function.line) != (diff.path, diff.line))


def lines(
    reader: TraceReader,
    diff: Difference,
    painter: Painter,
    generated: bool,
    width: int,
    body: LoopBody | None = None,
) -> Iterator[str]:
    """The source of the step with the verdict of each line; generated: what AutoGraph makes of it beside."""
    marks = marks_of(reader, diff)
    converted = functions(reader, diff)
    used = [mark for mark in MARKS if mark in marks.values()]
    shown = _gutter(reader, diff, marks)
    words = [f"{mark} {MARKS[mark]}" for mark in used]
    words += ["↓ so it is in what the line calls"] if shown != marks else []
    legend = painter.dim("  " + ", ".join(words)) if used else ""
    if generated and converted:
        yield ""
        yield painter.bold("Code") + legend
        for function in converted:
            yield from _both(function, shown, painter, width)
        return
    source = next((file.source for file in reader.files() if file.path == diff.path), None)
    if source is None or diff.line is None:
        return
    yield ""
    yield painter.bold("Code") + legend
    first, last = extent(source, diff.line) if body is None else (body.line, body.last)
    yield from _own(source, range(first, last + 1), diff.path, shown, painter)
    if converted:
        yield painter.dim("what AutoGraph makes of it is beside it with --only code")
    elif generated:
        yield painter.dim("what AutoGraph makes of it is not in this recording")


def _own(
    source: str, shown: range, path: str | None, marks: dict[Place, str], painter: Painter
) -> Iterator[str]:
    text = source.splitlines()
    width = len(str(shown.stop - 1))
    wide = max(len(marks.get((path, number), " ")) for number in shown)
    for number in range(shown.start, min(shown.stop, len(text) + 1)):
        mark = marks.get((path, number), "").ljust(wide)
        yield f"{number:>{width}} {painter.mark(mark)} {text[number - 1]}".rstrip()


def _both(function: FunctionReport, marks: dict[Place, str], painter: Painter, width: int) -> Iterator[str]:
    own = function.function
    yield ""
    note = (
        ""
        if own.status == "converted"
        else f"  not converted: {own.reason}; beside it is what it would become"
    )
    yield painter.bold(f"{own.name}  lines {own.line}-{own.end_line}") + note
    gutter = {line: marks.get((own.path, line), "") for line in function.original}
    yield from sources(function, gutter, width, True, painter)


def code_object(reader: TraceReader, diff: Difference) -> list[dict[str, Any]] | None:
    """For JSON: the functions with both sources, AutoGraph's map and the verdicts; None where it was not asked for."""
    if reader.differences.run_of(diff.id) is None:
        return None
    marks = marks_of(reader, diff)
    return [
        {
            "function": function.function.name,
            "file": function.function.path,
            "line": function.function.line,
            "end_line": function.function.end_line,
            "status": function.function.status,
            "reason": function.function.reason,
            "source": function.function.source,
            "generated": function.function.generated,
            "lines": {str(generated): original for generated, original in function.lines.items()},
            "folds": [asdict(fold) for fold in function.folds],
            "verdicts": {
                str(line): MARKS[mark]
                for line in function.original
                if (mark := marks.get((function.function.path, line), ""))
            },
        }
        for function in functions(reader, diff)
    ]
