"""The lines of a card that says why a gradient is None, or where a NaN came from, and the op each leads to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.style import Style

from tapeinspect.analysis.nan.telling import number as plain_number
from tapeinspect.analysis.nan.telling import worked
from tapeinspect.trace.records import OriginInput, PathStep, Reason
from tapeinspect.ui.format import basename, number, percent, sparkline, spec, visible
from tapeinspect.ui.palette import Palette
from tapeinspect.ui.widgets.cells import Line, fit, plain, wrap

if TYPE_CHECKING:
    from tapeinspect.analysis.nan.origin import Origin
    from tapeinspect.trace.reader import TraceReader

_FOLDED = 12
"""Steps of a way above which its middle is folded."""


class CauseLines:
    """Builds the lines and, beside each, the op that Enter goes to."""

    def __init__(self, reader: TraceReader, palette: Palette, width: int) -> None:
        self.reader, self.palette, self.width = reader, palette, width
        self.lines: list[Line] = []
        self.ops: list[int | None] = []
        self._sources: dict[str, list[str]] = {}

    def add(self, line: Line, op: int | None = None) -> None:
        self.lines.append(line)
        self.ops.append(op)

    def text(self, text: str, style: Style, op: int | None = None) -> None:
        """A paragraph."""
        for part in wrap(visible(text), max(20, self.width - 2)):
            self.add([(f" {part}", style)], op)

    def heading(self, text: str) -> None:
        self.add([])
        self.add([(f" {visible(text)}", self.palette.muted)])

    def hint(self, hint: str) -> None:
        if hint:
            self.add([])
            self.text("→ " + hint, self.palette.good)

    def copied(self) -> str:
        """All lines as text."""
        return "\n".join(plain(line).rstrip() for line in self.lines)

    def way(self, steps: Sequence[PathStep], marks: dict[int, tuple[str, Style]]) -> None:
        """A way of values from op to op, each with its line of the source."""
        half = _FOLDED // 2
        shown = list(enumerate(steps))
        if len(steps) > _FOLDED:
            shown = shown[:half] + shown[-half:]
        names = max((len(step.type) for _, step in shown), default=0)
        places = max((len(_place(step)) for _, step in shown), default=0)
        before, told = -1, ""
        for index, step in shown:
            if index != before + 1:
                self.add([(f"   ⋮ {index - before - 1} more", self.palette.faint)])
            before = index
            mark, style = marks.get(step.op, ("", self.palette.text))
            line: Line = [
                ("   " if index == 0 else " ↓ ", self.palette.accent),
                (fit(visible(step.type), min(names, 28) + 1), style if mark else self.palette.text),
                (fit(_place(step), min(places, 26) + 2), self.palette.muted),
            ]
            if mark:
                line.append((mark + "  ", style))
            room = self.width - sum(len(text) for text, _ in line) - 1
            if room > 10 and (code := self._code(step.path, step.line)) and _place(step) != told:
                line.append((fit(code, room).rstrip(), self.palette.faint))
            told = _place(step)
            self.add(line, step.op)

    def _code(self, path: str | None, line: int | None) -> str:
        if path is None or line is None:
            return ""
        if path not in self._sources:
            source = next((file.source for file in self.reader.files() if file.path == path), None)
            self._sources[path] = (source or "").splitlines()
        lines = self._sources[path]
        return visible(lines[line - 1].strip()) if 0 < line <= len(lines) else ""


def _place(step: PathStep) -> str:
    return f"{visible(basename(step.path))}:{step.line}" if step.path and step.line else ""


def why_lines(reader: TraceReader, name: str, reason: Reason, palette: Palette, width: int) -> CauseLines:
    """The card of a gradient that is None."""
    card = CauseLines(reader, palette, width)
    card.text(reason.message, palette.text, reason.steps[-1].op if reason.steps else None)
    card.hint(reason.hint)
    if reason.path and reason.line:
        card.heading(f"{basename(reason.path)}:{reason.line}")
        card.add([("   " + card._code(reason.path, reason.line), palette.text)])
    if reason.steps:
        end = reason.steps[-1].op
        card.heading(f"the way from {name} to where it breaks")
        card.way(reason.steps, {end: ("✖", palette.bad)})
    return card


def origin_lines(reader: TraceReader, origin: Origin, palette: Palette, width: int) -> CauseLines:
    """The card of the origin of a NaN or Inf."""
    card = CauseLines(reader, palette, width)
    card.text(origin.message, palette.text, origin.op)
    card.hint(origin.hint)
    _given(card, origin)
    _trend(card, origin)
    marks = {origin.op: ("✖", palette.bad)}
    if origin.turned is not None:
        marks[origin.turned.op] = ("NaN", palette.bad)
    if origin.forward is not None:
        card.heading("the op it is the backward pass of")
        card.way((origin.forward,), {})
    card.heading(f"how it reaches {origin.reaches}")
    card.way(origin.steps, marks)
    if origin.others:
        card.heading("gave NaN or Inf of finite inputs as well")
        card.way(origin.others, {})
    return card


def _given(card: CauseLines, origin: Origin) -> None:
    """What the op was given: figures of each input, and the elements that went bad."""
    palette, note = card.palette, origin.note
    card.heading("what it was given")
    if note is None:
        known = [(tensor, card.reader.stats(tensor)) for tensor in card.reader.op(origin.op).inputs]
        figures = [(tensor, stats) for tensor, stats in known if stats is not None]
        for _, stats in figures:
            card.add([(f"   min {number(stats.min)}  max {number(stats.max)}", palette.number)])
        if not figures:
            card.text("  The recording does not hold what it was given.", palette.faint)
        return
    for given in note.inputs:
        card.add(_input_line(card, given), card.reader.producer(given.tensor))
    for element in note.elements:
        index = f"[{', '.join(map(str, element.index))}]"
        card.add(
            [(fit(f"   {index}", 14), palette.muted), (worked(origin.type, element), palette.bad)], origin.op
        )
    bad = origin.nan + origin.inf
    if note.elements and bad > len(note.elements):
        card.add([(f"   and {bad - len(note.elements):,} more", palette.faint)])


def _input_line(card: CauseLines, given: OriginInput) -> Line:
    palette = card.palette
    line: Line = [("   ", None), (fit(spec(given.spec) or "tensor", 20) + " ", palette.name)]
    if given.zeros is None:
        return line
    if given.nan or given.inf:
        line.append((f"{given.nan:,} NaN  {given.inf:,} Inf  ", palette.bad))
    if given.min is not None and given.max is not None:
        line += [("min ", palette.muted), (plain_number(given.min), palette.number)]
        line += [("  max ", palette.muted), (plain_number(given.max), palette.number)]
    line += [("  zeros ", palette.muted), (percent(given.zeros), palette.number)]
    if given.norm is not None:
        line += [("  norm ", palette.muted), (number(given.norm), palette.number)]
    return line


def _trend(card: CauseLines, origin: Origin) -> None:
    """The input's norm in the batches before."""
    if origin.trend is None or len(origin.trend.points) < 2:
        return
    palette = card.palette
    points = origin.trend.points[-max(8, card.width - 44) :]
    norms = [norm for _, norm in points]
    known = [norm for norm in norms if norm is not None]
    if not known:
        return
    card.heading(f"norm of its input ({origin.trend.type}), batches {points[0][0]} to {points[-1][0]}")
    card.add(
        [
            ("   ", None),
            (sparkline(norms), palette.info),
            (f"  from {number(known[0])} to {number(known[-1])}", palette.muted),
        ]
    )
