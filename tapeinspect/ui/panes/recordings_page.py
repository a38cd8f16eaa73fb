"""One batch of two recordings, as the Diff tab shows it: the function of a line in both, its ops, its gradients."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tapeinspect.analysis.diff_marks import Place, extent
from tapeinspect.analysis.recordings.code import line_marks
from tapeinspect.analysis.recordings.compare import compare_step
from tapeinspect.analysis.recordings.lines import LineMap
from tapeinspect.analysis.recordings.records import OpPair, StepPair
from tapeinspect.trace.reader import TraceReader
from tapeinspect.ui.format import basename
from tapeinspect.ui.panes.diff_code import MARK_TONES
from tapeinspect.ui.widgets.side_by_side import Mark, Side

_EDITED = Mark("Δ", "info")


@dataclass(frozen=True, slots=True)
class Page:
    """One batch."""

    sum: StepPair
    pairs: Sequence[OpPair]
    marks: tuple[Mapping[Place, str], Mapping[Place, str]]
    """The mark of each line, in the first recording and in the second."""
    counts: tuple[Mapping[Place, int], Mapping[Place, int]]
    """Ops of each line."""

    def first_place(self, step: Place) -> tuple[Place, int]:
        """The line to begin with, and the recording it is of: the first real difference, else where the step begins."""
        for pair in self.pairs:
            row = pair.any
            if pair.verdict == "real" and row.path is not None:
                return (row.path, row.line), 0 if pair.first is not None else 1
        return step, 0


def make_page(first: TraceReader, second: TraceReader, step: int, lines: LineMap) -> Page:
    """Compare a batch that both have. Raises TraceError."""
    sum, pairs = compare_step(first, second, step, lines)
    counts: tuple[dict[Place, int], dict[Place, int]] = ({}, {})
    for pair in pairs:
        for side, row in enumerate((pair.first, pair.second)):
            if row is None or row.path is None:
                continue
            place = (row.path, row.line)
            counts[side][place] = counts[side].get(place, 0) + 1
    return Page(sum, pairs, line_marks(pairs), counts)


@dataclass(frozen=True, slots=True)
class Code:
    """A function in both recordings."""

    paths: tuple[str | None, str | None]
    left: Side
    right: Side
    links: tuple[tuple[int, int], ...] = field(default=())

    def holds(self, place: Place, which: int) -> bool:
        """Whether a line of a recording is shown."""
        side, (path, line) = (self.left, self.right)[which], place
        last = side.first + side.source.count("\n")
        return (
            bool(side.source)
            and path == self.paths[which]
            and line is not None
            and side.first <= line <= last
        )


def make_code(
    readers: tuple[TraceReader, TraceReader],
    names: tuple[str, str],
    page: Page,
    lines: LineMap,
    place: Place,
    which: int,
) -> Code | None:
    """The function that holds a line of a recording (`which`: 0 or 1), in both; None without a source of it."""
    places = _both(lines, place, which)
    texts = [_source(reader, at[0]) for reader, at in zip(readers, places, strict=True)]
    if texts[which] is None:
        return None
    spans = [
        extent(text, at[1]) if text is not None and at[1] is not None else None
        for text, at in zip(texts, places, strict=True)
    ]
    sides = [_side(names[i], places[i][0], texts[i], spans[i], page.marks[i], page.counts[i]) for i in (0, 1)]
    links = []
    changed: tuple[set[int], set[int]] = (set(), set())
    if spans[0] is not None and spans[1] is not None:
        links = _links(lines, places[0][0], spans[0], spans[1])
        left, right = sides[0].source.split("\n"), sides[1].source.split("\n")
        same = [(a, b) for a, b in links if left[a] == right[b]]
        changed = (
            {a for a, text in enumerate(left) if text.strip()} - {a for a, _ in same},
            {b for b, text in enumerate(right) if text.strip()} - {b for _, b in same},
        )
    flagged = [_flagged(side, found) for side, found in zip(sides, changed, strict=True)]
    return Code((places[0][0], places[1][0]), flagged[0], flagged[1], tuple(links))


def _both(lines: LineMap, place: Place, which: int) -> tuple[Place, Place]:
    """The place in both recordings."""
    if which == 0:
        return place, lines.place(*place)
    path = next((mine for mine, other in lines.files.items() if other == place[0]), place[0])
    known = lines.lines.get(path or "")
    line = place[1]
    if known is not None:
        line = next((mine for mine, other in known.items() if other == place[1]), None)
    return (path, line), place


def _source(reader: TraceReader, path: str | None) -> str | None:
    return next((file.source for file in reader.files() if file.path == path), None)


def _side(
    name: str,
    path: str | None,
    text: str | None,
    span: tuple[int, int] | None,
    marks: Mapping[Place, str],
    counts: Mapping[Place, int],
) -> Side:
    if text is None or span is None:
        why = "This line is not in it" if text is not None else "Its source is not in the recording"
        return Side(name, "", empty=f"{name}\n{why}")
    first, last = span
    found = {
        number - first: Mark(f"{mark} {counts.get((path, number), '')}".rstrip(), MARK_TONES[mark])
        for number in range(first, last + 1)
        if (mark := marks.get((path, number)))
    }
    source = "\n".join(text.split("\n")[first - 1 : last])
    return Side(f"{name}  {basename(path)}:{first}", source, first, marks=found)


def _flagged(side: Side, changed: set[int]) -> Side:
    return Side(side.title, side.source, side.first, marks=side.marks, empty=side.empty,
                flags=dict.fromkeys(changed, _EDITED))  # fmt: skip


def _links(
    lines: LineMap, path: str | None, mine: tuple[int, int], theirs: tuple[int, int]
) -> list[tuple[int, int]]:
    found = []
    for number in range(mine[0], mine[1] + 1):
        _, other = lines.place(path, number)
        if other is not None and theirs[0] <= other <= theirs[1]:
            found.append((number - mine[0], other - theirs[0]))
    return found
