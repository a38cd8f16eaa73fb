"""The source of two recordings line by line, aligned across edits, each line with its verdict."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from tapeinspect.analysis.diff_marks import Place, extent
from tapeinspect.analysis.recordings.lines import LineMap
from tapeinspect.analysis.recordings.records import OpPair
from tapeinspect.trace.reader import TraceReader

MARKS: Final = {
    "≠": "other figures", "±": "other ops", "~": "figures apart by rounding", "=": "the same figures",
}  # fmt: skip
"""What each mark of a line says, the gravest first."""
Edit = Literal["same", "edited", "removed", "added"]


@dataclass(frozen=True, slots=True)
class CodeLine:
    """A line of the first recording beside its counterpart in the second; one of them may be missing."""

    first: int | None
    second: int | None
    text_first: str
    text_second: str
    mark_first: str
    """One of `MARKS`, of its ops in the first recording; "" for a line without ops."""
    mark_second: str

    @property
    def mark(self) -> str:
        """The gravest of both."""
        return next((mark for mark in MARKS if mark in (self.mark_first, self.mark_second)), "")

    @property
    def edit(self) -> Edit:
        """What became of the text."""
        if self.first is None or self.second is None:
            return "added" if self.first is None else "removed"
        return "same" if self.text_first == self.text_second else "edited"

    @property
    def telling(self) -> bool:
        """It was edited, or its ops differ."""
        blank = not (self.text_first.strip() or self.text_second.strip())
        return self.mark in ("≠", "±", "~") or (self.edit != "same" and not blank)


@dataclass(frozen=True, slots=True)
class CodeFile:
    """One of the user's files in both recordings."""

    first: str
    """Its path in the first."""
    second: str
    lines: tuple[CodeLine, ...]
    """Those of the functions that ran ops in the batch, or that were edited; of a file's own statements, those."""


def line_marks(pairs: Iterable[OpPair]) -> tuple[dict[Place, str], dict[Place, str]]:
    """The mark of each line of both recordings: the gravest of its ops."""
    marks: tuple[dict[Place, str], dict[Place, str]] = ({}, {})
    order = list(MARKS)
    for pair in pairs:
        mark = mark_of(pair)
        for side, row in enumerate((pair.first, pair.second)):
            if row is not None and row.path is not None:
                place = (row.path, row.line)
                marks[side][place] = min(marks[side].get(place, "="), mark, key=order.index)
    return marks


def mark_of(pair: OpPair) -> str:
    """The mark of one pair of ops."""
    if pair.first is None or pair.second is None:
        return "±"
    return {"same": "=", "rounding": "~", "real": "≠"}[pair.verdict]


def code_of(
    first: TraceReader, second: TraceReader, pairs: Sequence[OpPair], lines: LineMap
) -> tuple[CodeFile, ...]:
    """The files that ran ops in a batch or were edited; none where a recording was made without sources."""
    marks = line_marks(pairs)
    texts = [{f.path: f.source for f in reader.files() if f.role == "user"} for reader in (first, second)]
    found = []
    for path, other in lines.files.items():
        mine, theirs = texts[0].get(path), texts[1].get(other)
        if mine is None or theirs is None:
            continue
        aligned = list(_aligned((path, mine), (other, theirs), lines, marks))
        shown = _shown(aligned, mine, theirs)
        if shown:
            found.append(CodeFile(path, other, tuple(shown)))
    return tuple(found)


def _aligned(
    first: tuple[str, str],
    second: tuple[str, str],
    lines: LineMap,
    marks: tuple[Mapping[Place, str], Mapping[Place, str]],
) -> Iterator[CodeLine]:
    mine, theirs = first[1].split("\n"), second[1].split("\n")

    def line(a: int | None, b: int | None) -> CodeLine:
        own = (marks[0].get((first[0], a), ""), marks[1].get((second[0], b), ""))
        return CodeLine(a, b, mine[a - 1] if a else "", theirs[b - 1] if b else "", *own)

    behind = 0
    for a in range(1, len(mine) + 1):
        b = lines.place(first[0], a)[1]
        if b is None or not behind < b <= len(theirs):
            yield line(a, None)
            continue
        yield from (line(None, between) for between in range(behind + 1, b))
        yield line(a, b)
        behind = b
    yield from (line(None, b) for b in range(behind + 1, len(theirs) + 1))


def _shown(aligned: Sequence[CodeLine], mine: str, theirs: str) -> list[CodeLine]:
    """The lines of functions that have something to show, and what stands outside of functions itself."""
    spans: tuple[set[tuple[int, int]], set[tuple[int, int]]] = (set(), set())
    for line in aligned:
        if line.mark or line.telling:
            for which, (text, number) in enumerate(((mine, line.first), (theirs, line.second))):
                if number is not None and not any(a <= number <= b for a, b in spans[which]):
                    spans[which].add(_span(text, number))
    return [
        line
        for line in aligned
        if any(a <= line.first <= b for a, b in spans[0] if line.first is not None)
        or any(a <= line.second <= b for a, b in spans[1] if line.second is not None)
    ]


def _span(text: str, number: int) -> tuple[int, int]:
    """The function around a line; the line alone where there is none."""
    found = extent(text, number)
    return (number, number) if found == (1, text.count("\n") + 1) else found
