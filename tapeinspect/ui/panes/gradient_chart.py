"""The selected variable's gradient norm over the batches, as a chart; or why its gradient is None."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from tapeinspect.trace.records import Gradient, Reason
from tapeinspect.ui.format import BARS, basename, number, percent, visible
from tapeinspect.ui.palette import Palette
from tapeinspect.ui.panes.gradient_rows import CallRow, GradientRow
from tapeinspect.ui.widgets.cells import Line, fit, wrap
from tapeinspect.ui.widgets.line_list import LineList

if TYPE_CHECKING:
    from tapeinspect.ui.subject import Subject

AXIS = 10
"""Columns for the figures at the left."""


class GradientChart(LineList):
    """A chart with as many batches as there are columns; the viewed batch is marked."""

    has_cursor = False

    def __init__(self, subject: Subject, id: str | None = None) -> None:
        super().__init__(id=id, title="Gradient norm over the batches")
        self.can_focus = False
        self.subject = subject
        self.row: GradientRow | None = None
        self.step: int | None = None
        self.history: list[Gradient] = []
        self.empty = "Select a variable to see its gradient over the batches"
        self.rows = self

    def tell(self, row: GradientRow | CallRow | None, step: int | None) -> None:
        """Show the variable of a row."""
        self.row = row if isinstance(row, GradientRow) else None
        self.step = step
        reader = self.subject.reader
        self.history = []
        if self.row is not None and reader is not None:
            self.history = reader.gradient_history(
                self.row.gradient.variable.id, max(8, self.inner_width - AXIS - 2)
            )
        self.set_title(*self._heading())
        self.repaint()

    def _heading(self) -> tuple[str, str]:
        if self.row is None:
            return "Gradient norm over the batches", ""
        gradient = self.row.gradient
        low, high, mean = (number(figure, 3) for figure in (gradient.min, gradient.max, gradient.mean))
        note = f"mean {mean}  min {low}  max {high}  zeros {percent(gradient.zeros)}"
        if gradient.form == "none":
            note = ""
        what = "gradient norm" if note else "why there is no gradient"
        return f"{visible(gradient.variable.name)}  {what}", note

    def __len__(self) -> int:
        return max(0, self.size.height - 1) if self.row is not None else 0

    def line(self, index: int, width: int, palette: Palette) -> Line:
        if self.row is not None and self.row.gradient.form == "none":
            return self._reason(index, width, palette)
        height = len(self) - 1
        norms = [gradient.norm for gradient in self.history]
        known = [norm for norm in norms if norm is not None and math.isfinite(norm)]
        top, low = (max(known), min(known)) if known else (0.0, 0.0)
        if index == height:
            return self._marks(palette)
        figure = (
            number(top, 3)
            if index == 0
            else number(max(0.0, 2 * low - top), 3)
            if index == height - 1
            else ""
        )
        base = max(0.0, 2 * low - top)  # not from 0 where the range is small, so that changes are seen
        line: Line = [(fit(figure, AXIS - 1, right=True) + " ", palette.faint)]
        for gradient in self.history:
            line.append(self._bar(gradient, height - 1 - index, height, base, top, palette))
        return line

    def _bar(self, gradient: Gradient, level: int, height: int, base: float, top: float, palette: Palette):  # type: ignore[no-untyped-def]
        tone = palette.accent if gradient.step == self.step else palette.info
        if gradient.nan or gradient.inf:
            return "█", palette.bad
        if gradient.norm is None:
            return ("·" if level == 0 else " "), palette.faint
        share = (gradient.norm - base) / (top - base) if top > base else 0.5
        eighths = max(1, round(share * height * 8)) - level * 8
        return (" " if eighths <= 0 else BARS[min(eighths, 8) - 1]), tone

    def _marks(self, palette: Palette) -> Line:
        at = next((i for i, gradient in enumerate(self.history) if gradient.step == self.step), None)
        if at is None:
            first, last = (self.history[0].step, self.history[-1].step) if self.history else (None, None)
            return [(" " * AXIS + (f"batches {first} to {last}" if first else ""), palette.faint)]
        return [(" " * (AXIS + at), None), (f"▲ batch {self.step}", palette.accent)]

    def _reason(self, index: int, width: int, palette: Palette) -> Line:
        reason = self.row.reason if self.row is not None else None
        message = reason.message if reason is not None else "No path leads from the target to this variable."
        lines: list[Line] = [
            [(" " + part, palette.text)] for part in wrap(visible(message), max(20, width - 2))
        ]
        if reason is not None and reason.hint:
            lines += [
                [(" " + part, palette.good)] for part in wrap("→ " + visible(reason.hint), max(20, width - 2))
            ]
        if reason is not None and reason.steps:
            lines.append(_way(self.row, reason, width, palette))
        if reason is not None and reason.path:
            where = f" {visible(basename(reason.path))}:{reason.line}"
            lines.append([(where, palette.muted), ("   W says more, e opens it", palette.faint)])
        return lines[index] if index < len(lines) else []

    def on_resize(self) -> None:
        self.tell(self.row, self.step)


def _way(row: GradientRow | None, reason: Reason, width: int, palette: Palette) -> Line:
    """The way from the source to where it breaks in one line; the middle of a long one is left out."""
    names = [f"{step.type}:{step.line}" if step.line else step.type for step in reason.steps]
    source = visible(row.gradient.variable.name) if row is not None else ""
    room = width - len(source) - 5
    left = names[:-1]
    while left and sum(len(name) + 3 for name in (*left, "⋯", names[-1])) > room:
        left.pop(len(left) // 2)
    if len(left) + 1 < len(names):
        left.insert((len(left) + 1) // 2, "⋯")
    names = [*left, names[-1]]
    line: Line = [(f" {source}", palette.name)]
    for name in names:
        line += [(" → ", palette.accent), (visible(name), palette.text)]
    return [*line, (" ✖", palette.bad)]
