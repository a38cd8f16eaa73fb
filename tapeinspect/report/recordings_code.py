"""The code part of two recordings held against each other: both sources line by line, and what each line came to."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import Any, Final

from tapeinspect.analysis.recordings.code import MARKS, CodeFile, CodeLine
from tapeinspect.analysis.recordings.records import Comparison
from tapeinspect.report.colours import Painter

_AROUND: Final = 2
"""Lines shown before and behind one that tells something, where only those are shown."""
_SIGNS: Final = {"same": " ", "edited": " ", "removed": "-", "added": "+"}


def lines(comparison: Comparison, painter: Painter, whole: bool) -> Iterator[str]:
    """The lines of text; whole: each line of the functions, not only those near what differs."""
    if not comparison.code:
        if whole:
            yield painter.dim("no sources to compare: a recording made with --no-source holds none")
        return
    used = {line.mark for file in comparison.code for line in file.lines}
    legend = [f"{mark} {text}" for mark, text in MARKS.items() if mark in used]
    signs = [sign for sign in "-+" if any(sign in _signs(line) for f in comparison.code for line in f.lines)]
    legend += [{"-": "- only in the first", "+": "+ only in the second"}[sign] for sign in signs]
    found = [(file, rows) for file in comparison.code if (rows := _rows(file.lines, whole))]
    if not found:
        return
    yield ""
    yield painter.bold(f"Code  batch {comparison.code_step}") + painter.dim("  " + ", ".join(legend))
    for file, rows in found:
        if len(comparison.code) > 1:
            yield painter.bold(os.path.basename(file.first))
        yield from _of_file(file, rows, painter)


def _signs(line: CodeLine) -> str:
    return "-+" if line.edit == "edited" else _SIGNS[line.edit]


def _rows(found: Sequence[CodeLine], whole: bool) -> list[CodeLine]:
    if whole:
        return list(found)
    near = {
        place
        for index, line in enumerate(found)
        if line.telling
        for place in range(index - _AROUND, index + _AROUND + 1)
    }
    return [line for index, line in enumerate(found) if index in near]


def _of_file(file: CodeFile, rows: Sequence[CodeLine], painter: Painter) -> Iterator[str]:
    widths = [
        max([len(str(n)) for n in numbers if n is not None], default=1)
        for numbers in ([line.first for line in rows], [line.second for line in rows])
    ]
    shown = {id(line): index for index, line in enumerate(file.lines)}
    before: int | None = None
    for line in rows:
        index = shown[id(line)]
        if before is not None and (index != before + 1 or _jumps(file.lines[before], line)):
            yield painter.dim("…")
        before = index
        numbers = [
            ("" if n is None else str(n)).rjust(w)
            for n, w in zip((line.first, line.second), widths, strict=True)
        ]
        marks = [painter.mark(mark or " ") for mark in (line.mark_first, line.mark_second)]
        if line.edit == "edited":
            blank = [" " * width for width in widths]
            yield f"{numbers[0]} {blank[1]} - {marks[0]} {painter.dim(line.text_first)}".rstrip()
            yield f"{blank[0]} {numbers[1]} + {marks[1]} {painter.plain(line.text_second)}".rstrip()
        else:
            text = line.text_second if line.first is None else line.text_first
            paint = painter.dim if line.second is None else painter.plain
            mark = painter.mark(line.mark or " ")
            yield f"{' '.join(numbers)} {_SIGNS[line.edit]} {mark} {paint(text)}".rstrip()


def _jumps(a: CodeLine, b: CodeLine) -> bool:
    """Whether lines are left out between two in both recordings."""
    if a.first is not None and b.first is not None:
        return b.first > a.first + 1
    return a.second is not None and b.second is not None and b.second > a.second + 1


def json_objects(comparison: Comparison) -> list[dict[str, Any]]:
    """For JSON: each file with its lines, `verdict` in words, null for a line without ops."""
    return [
        {
            "file": file.first,
            "other_file": file.second,
            "step": comparison.code_step,
            "lines": [
                {
                    "first": line.first,
                    "second": line.second,
                    "edit": line.edit,
                    "source": None if line.first is None else line.text_first,
                    "other_source": None if line.second is None else line.text_second,
                    "verdict": MARKS.get(line.mark),
                }
                for line in file.lines
            ],
        }
        for file in comparison.code
    ]
