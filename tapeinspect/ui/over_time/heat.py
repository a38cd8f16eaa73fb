"""Heat maps in text: a cell for each batch, brighter for more."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache

from rich.style import Style
from textual.color import Color

from tapeinspect.trace.series import Point
from tapeinspect.ui.format import number, visible
from tapeinspect.ui.over_time.data import Curves, share
from tapeinspect.ui.palette import Palette
from tapeinspect.ui.widgets.cells import Line, fit, fit_start

_STEPS = 16
_SHADES = " ░▒▓█"
COLUMN = 11
"""Columns of a figure at the right of a row."""


@lru_cache(8)
def scale(cold: str, warm: str, hot: str) -> tuple[Style, ...]:
    """Grounds from cold over warm to hot."""
    ends = [Color.parse(colour) for colour in (cold, warm, hot)]
    styles = []
    for i in range(_STEPS):
        at = i / (_STEPS - 1) * 2
        first = min(1, int(at))
        styles.append(Style(bgcolor=ends[first].blend(ends[first + 1], at - first).hex6))
    return tuple(styles)


def cell(palette: Palette, at: float | None, bad: bool = False) -> tuple[str, Style]:
    """One cell: `at` from 0 to 1, None for nothing there."""
    if bad:
        return "!", palette.badge(palette.bad)
    if at is None:
        return "·", palette.faint
    if palette.is_ansi or palette.info.color is None or palette.accent.color is None:
        return _SHADES[min(len(_SHADES) - 1, int(at * len(_SHADES)))], palette.info
    ground = palette.title.bgcolor.name if palette.title.bgcolor else "#222838"
    return " ", scale(ground, palette.info.color.name, palette.accent.color.name)[round(at * (_STEPS - 1))]


@dataclass
class HeatRows:
    """One row for each variable: its name, its cells, and its figures at a batch."""

    curves: Curves
    step: int
    """The batch that the figures are of."""
    pinned: set[int] = field(default_factory=set)
    """Ids of the variables drawn as curves beside the one under the cursor."""
    against: int | None = None
    """The batch that the figures are compared with."""
    other: dict[str, Point] = field(default_factory=dict)
    """The figure in the other recording, by name of the variable."""

    def __post_init__(self) -> None:
        self.longest = max((len(visible(v.name)) for v in self.curves.variables), default=8)
        self.range = self.curves.range()

    def __len__(self) -> int:
        return len(self.curves.variables)

    def names(self, width: int) -> int:
        """Columns of the names."""
        return names_width(self.longest, width)

    def room(self, width: int) -> int:
        """Columns for the cells."""
        return cells_width(self.longest, width, self.columns)

    def _wide(self, width: int) -> int:
        """Columns of a cell."""
        return max(1, min(4, self.room(width) // max(1, self.curves.cells)))

    @property
    def columns(self) -> int:
        """Figures at the right of a row."""
        return 1 + 2 * (self.against is not None) + bool(self.other)

    def line(self, index: int, width: int, palette: Palette) -> Line:
        variable = self.curves.variables[index]
        mark = "◆ " if variable.id in self.pinned else "  "
        line: Line = [
            (mark, palette.accent),
            (fit_start(visible(variable.name), self.names(width)) + " ", palette.text),
        ]
        cells = min(self.curves.cells, self.room(width))
        wide = self._wide(width)
        for at in range(cells):
            text, style = self._cell(variable.id, at, palette)
            line.append((text + (" " if text == "│" else text) * (wide - 1), style))
        line.append((" " * (self.room(width) - cells * wide + 1), None))
        return line + self._figures(variable.id, variable.name, palette)

    def _cell(self, variable: int, at: int, palette: Palette) -> tuple[str, Style]:
        point = self.curves.points.get(variable, {}).get(at)
        place = None
        if point is not None and point.value is not None and self.range is not None:
            place = share(point.value, *self.range, self.curves.figure.logarithmic)
        text, style = cell(palette, place, point is not None and point.bad)
        if at == self.curves.cell_of(self.step):
            return "│", style + palette.strong
        return text, style

    def _figures(self, variable: int, name: str, palette: Palette) -> Line:
        here = _value(self.curves.at(variable, self.step))
        line: Line = [(fit(number(here), COLUMN, right=True), palette.number)]
        if self.against is not None:
            then = _value(self.curves.at(variable, self.against))
            ratio = here / then if here is not None and then else None
            line.append((fit(number(then), COLUMN, right=True), palette.muted))
            line.append((fit("–" if ratio is None else f"{ratio:.3g}×", COLUMN, right=True), palette.text))
        if self.other:
            line.append((fit(number(_value(self.other.get(name))), COLUMN, right=True), palette.second))
        return line

    def head(self, width: int, palette: Palette) -> Line:
        """The heads of the columns."""
        per = self.curves.per
        text = f"batches 1 to {self.curves.steps}"
        more = f", the largest of {per} to a cell"
        if per > 1:
            text += more if len(text + more) <= self.room(width) else f", {per} to a cell"
        line: Line = [
            ("  " + fit("variable", self.names(width)) + " ", palette.heading),
            (fit(text, self.room(width)) + " ", palette.heading),
        ]
        heads = [self._batches(self.step)]
        if self.against is not None:
            heads += [self._batches(self.against), "ratio"]
        if self.other:
            heads.append("other run")
        return line + [(fit(head, COLUMN, right=True), palette.heading) for head in heads]

    def _batches(self, step: int) -> str:
        """The batches that the cell of one stands for."""
        per = self.curves.per
        first = self.curves.cell_of(step) * per + 1
        return f"batch {step}" if per == 1 else f"{first}–{min(first + per - 1, self.curves.steps)}"


def names_width(longest: int, width: int) -> int:
    """Columns of the names on so many columns in all. longest: of the names."""
    return max(8, min(longest, width // 3))


def cells_width(longest: int, width: int, columns: int) -> int:
    """Columns for the cells beside the names and so many figures."""
    return max(1, width - 4 - names_width(longest, width) - COLUMN * columns)


def _value(point: Point | None) -> float | None:
    return None if point is None else point.value
