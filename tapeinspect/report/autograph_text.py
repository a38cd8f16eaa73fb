"""What AutoGraph made of a script, as text: two sources side by side, what each construct became, what was left."""

from __future__ import annotations

import os
import textwrap
from collections.abc import Iterator, Mapping

from tapeinspect.report.autograph import FunctionReport, Pair, Report, mark_text, title
from tapeinspect.report.colours import Painter
from tapeinspect.trace.records import AutographFunction

NARROWEST = 100
"""Columns below which the generated source stands under the original."""
_GUTTER = 6
_NUMBER = 5


def write(report: Report, width: int, folded: bool, painter: Painter) -> str:
    """The whole report; `width` in columns."""
    parts = [*_head(report, width, painter)]
    for function in report.shown:
        parts += ["", *_function(function, width, folded, painter)]
    if report.listed:
        parts += ["", painter.bold("Not converted"), *_listed(report.listed, width, painter)]
    if report.findings:
        parts += ["", painter.bold("What does not survive tracing")]
        for finding in report.findings:
            where = _place(finding.path, finding.line)
            parts += _wrapped(f"  {where}  ", f"{finding.message} {finding.hint}".strip(), width)
    return "\n".join(parts) + "\n"


def _head(report: Report, width: int, painter: Painter) -> Iterator[str]:
    run, failure = report.run, report.failure
    yield painter.bold(title(run))
    if run.note:
        yield from _wrapped("  ", run.note, width)
    if run.hint:
        yield from _wrapped("  ", run.hint, width)
    if failure is None:
        return
    yield ""
    yield painter.red(f"{failure.type} at {_place(failure.path, failure.line)}, in {failure.function}")
    for line in failure.message.splitlines()[:12]:
        yield from _wrapped("  ", line, width)
    for frame in failure.frames:
        star = "" if frame.user else " (library)"
        yield f"  {_place(frame.file, frame.line)}, in {frame.function}{star}: {frame.code}"
    if failure.explanation:
        yield from _wrapped("  ", failure.explanation, width)
    if failure.hint:
        yield from _wrapped("  To do: ", failure.hint, width)


def _function(report: FunctionReport, width: int, folded: bool, painter: Painter) -> Iterator[str]:
    function = report.function
    place = f"{_place(function.path, function.line)}-{function.end_line}"
    note = (
        ""
        if function.status == "converted"
        else f"  not converted: {function.reason}; beside it is what it would become"
    )
    yield painter.bold(f"{function.name}  {place}") + note
    gutter = {line: mark_text(mark) for line, mark in report.marks.items()}
    yield from sources(report, gutter, width, folded, painter)
    constructs = report.constructs if report.marks else ()  # without marks nothing was run
    if constructs:
        yield ""
        yield painter.dim("  what it became")
    for c in constructs:
        variables = "; ".join(
            f"{v.name}: {v.text}" + (f", shape invariant {v.invariant}" if v.invariant else "")
            for v in c.variables
        )
        text = c.text + (f" {variables}" if variables else "")
        yield from _wrapped(f"  {c.line:>{_NUMBER}} {c.construct:<13} ", text, width)


def sources(
    report: FunctionReport, gutter: Mapping[int, str], width: int, folded: bool, painter: Painter
) -> Iterator[str]:
    """The two sources side by side, below each other where `width` is too narrow. gutter: what stands before a line."""
    if width >= NARROWEST:
        half = (width - _GUTTER - 2 * _NUMBER - 3) // 2
        for pair in report.pairs(folded):
            yield from _row(report, gutter, pair, half, painter)
    else:
        yield from _under(report, gutter, width, folded, painter)


def _row(
    report: FunctionReport, marks: Mapping[int, str], pair: Pair, half: int, painter: Painter
) -> Iterator[str]:
    left, right = "", ""
    if pair.original is not None:
        left = report.original.get(pair.original, "")
    if pair.generated is not None:
        right = report.generated[pair.generated - 1]
    lefts, rights = painter.cells(left, half), painter.cells(right, half)
    if pair.fold is not None:
        count = pair.fold.last - pair.fold.first + 1
        rights = [
            painter.dim(
                _padded(f"⋯ {pair.fold.what.replace('_', ' ')}, {count} line{'s'[: count > 1]}", half)
            )
        ]
    for index in range(max(len(lefts), len(rights))):
        first = index == 0
        mark = marks.get(pair.original, "") if first and pair.original is not None else ""
        number = str(pair.original) if first and pair.original is not None else ""
        other = str(pair.generated) if first and pair.generated is not None else ""
        one = lefts[index] if index < len(lefts) else " " * half
        two = rights[index] if index < len(rights) else ""
        gutter = painter.mark(f"{mark:<{_GUTTER}}")
        before, behind = painter.dim(f"{number:>{_NUMBER - 1}}"), painter.dim(f"{other:>{_NUMBER - 1}}")
        yield f"{gutter}{before} {one} {painter.dim('│')}{behind} {two}".rstrip()


def _under(
    report: FunctionReport, marks: Mapping[int, str], width: int, folded: bool, painter: Painter
) -> Iterator[str]:
    room = width - _GUTTER - _NUMBER
    for line, text in report.original.items():
        yield from _single(f"{marks.get(line, ''):<{_GUTTER}}", str(line), text, room, painter)
    yield painter.dim("  generated")
    for pair in report.pairs(folded):
        if pair.fold is not None:
            yield painter.dim(f"{'':{_GUTTER + _NUMBER}}⋯ {pair.fold.what.replace('_', ' ')}")
        elif pair.generated is not None:
            origin = report.lines.get(pair.generated)
            label = f"{origin if origin is not None else '':>{_GUTTER - 1}} "
            yield from _single(
                label, str(pair.generated), report.generated[pair.generated - 1], room, painter
            )


def _single(gutter: str, number: str, text: str, room: int, painter: Painter) -> Iterator[str]:
    for index, cell in enumerate(painter.cells(text, room)):
        head = (
            f"{painter.mark(gutter)}{painter.dim(f'{number:>{_NUMBER - 1}}')} "
            if index == 0
            else " " * (_GUTTER + _NUMBER)
        )
        yield f"{head}{cell}".rstrip()


def _listed(functions: tuple[AutographFunction, ...], width: int, painter: Painter) -> Iterator[str]:
    names = max(min(len(f.name), 30) for f in functions)
    for function in functions:
        call = f" (called at line {function.call_line})" if function.call_line else ""
        yield from _wrapped(f"  {function.name:<{names}}  ", f"{function.reason}{call}", width)


def _place(path: str | None, line: int | None) -> str:
    if path is None:
        return "an unknown place"
    name = os.path.basename(path)
    return name if line is None else f"{name}:{line}"


def _wrapped(head: str, text: str, width: int) -> list[str]:
    return textwrap.wrap(
        text, max(width, 40), initial_indent=head, subsequent_indent=" " * len(head), break_on_hyphens=False
    ) or [head.rstrip()]


def _padded(text: str, width: int) -> str:
    return f"{text:<{width}}"[:width]
