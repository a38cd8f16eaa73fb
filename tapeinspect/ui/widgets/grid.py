"""A grid of numbers over two axes of a tensor of any rank."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

from rich.style import Style
from textual.binding import Binding, BindingType
from textual.color import Color
from textual.message import Message

from tapeinspect.trace.records import Stats
from tapeinspect.ui.format import number, visible
from tapeinspect.ui.values import Index, slice_text
from tapeinspect.ui.widgets.bars import Bar
from tapeinspect.ui.widgets.cells import Line, fit

CELL = 10


class Grid(Bar, can_focus=True):
    """The values around the cursor; asks for them with `Wanted`."""

    DEFAULT_CSS = "Grid { height: 1fr; background: $background; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1,0)", show=False), Binding("down,j", "move(1,0)", show=False),
        Binding("left,h", "move(0,-1)", show=False), Binding("right,l", "move(0,1)", show=False),
        Binding("pageup", "page(-1,0)", show=False), Binding("pagedown,space", "page(1,0)", show=False),
        Binding("home", "edge(0,-1)", show=False), Binding("end", "edge(0,1)", show=False),
        Binding("g", "edge(-1,0)", show=False), Binding("G", "edge(1,0)", show=False),
        Binding("r", "turn(0)", show=False), Binding("c", "turn(1)", show=False),
        Binding("tab", "pick", show=False),
        Binding("left_square_bracket,minus", "slide(-1)", show=False),
        Binding("right_square_bracket,plus", "slide(1)", show=False),
    ]  # fmt: skip

    @dataclass
    class Wanted(Message):
        """The grid needs the values of a window."""

        index: Index

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self.shape: tuple[int, ...] = ()
        self.stats: Stats | None = None
        self.axes: list[int] = []
        """The axes shown as rows and as columns."""
        self.at: list[int] = []
        """The cursor: an index for every axis."""
        self.top = [0, 0]
        """First row and column in sight."""
        self.fixed = 0
        """Which of the axes not shown `[` and `]` move along."""
        self.window: list[list[Any]] = []
        self.window_at: Index | None = None
        self.message = "Getting the values …"
        self.hint = ""

    def say(self, message: str, hint: str = "") -> None:
        """Show a sentence in place of values."""
        self.message, self.hint, self.shape, self.window_at = message, hint, (), None
        self.refresh()

    def show(self, shape: tuple[int, ...]) -> None:
        """Show a tensor of this shape."""
        self.shape, self.message = shape, ""
        wide = [axis for axis, size in enumerate(shape) if size > 1][-2:]
        spare = [axis for axis in reversed(range(len(shape))) if axis not in wide]
        self.axes = sorted([*wide, *spare][:2])
        self.at = [0] * len(shape)
        self.ask()

    # geometry

    @property
    def rows(self) -> int:
        """Rows of values in sight."""
        return max(1, self.size.height - 1)

    @property
    def columns(self) -> int:
        """Columns of values in sight."""
        return max(1, (self.size.width - self._margin) // CELL)

    @property
    def _margin(self) -> int:
        size = self.shape[self.axes[0]] if self.axes else 0
        return max(4, len(str(size)) + 2)

    def _extent(self, side: int) -> int:
        """How many rows (0) or columns (1) the tensor has."""
        if side == 1 and len(self.axes) < 2:
            return 1
        return self.shape[self.axes[side]] if self.axes else 1

    def index(self) -> Index:
        """The window in sight."""
        result: list[int | list[int]] = list(self.at)
        for side, axis in enumerate(self.axes):
            start = self.top[side]
            result[axis] = [start, min(self.shape[axis], start + (self.rows, self.columns)[side])]
        return tuple(result)

    def ask(self) -> None:
        """Scroll to the cursor and ask for what is in sight."""
        for side, axis in enumerate(self.axes):
            page = (self.rows, self.columns)[side]
            at = self.at[axis]
            top = min(self.top[side], at)
            top = max(top, at - page + 1)
            self.top[side] = max(0, min(top, self._extent(side) - page) if self._extent(side) > page else 0)
        if self.index() != self.window_at:
            self.post_message(self.Wanted(self.index()))
        self.refresh()

    def fill(self, index: Index, window: list[Any]) -> None:
        """The values of a window have come."""
        if index != self.index():
            return
        if len(self.axes) == 2 and self.axes[0] > self.axes[1]:
            window = [list(column) for column in zip(*window, strict=True)]
        self.window = window if len(self.axes) == 2 else [[value] for value in window]
        self.window_at = index
        self.refresh()

    # drawing

    def slice(self) -> str:
        """The window as a slice."""
        return slice_text(self.shape, self.index()) if self.shape else ""

    def line(self, y: int, width: int) -> Line:
        palette = self.palette
        if self.message:
            text = {self.size.height // 2 - 1: self.message, self.size.height // 2: self.hint}.get(y, "")
            return [(text.center(width), palette.text if text == self.message else palette.muted)]
        first = self.top[1]
        columns = min(self.columns, self._extent(1) - first)
        if y == 0:
            heads = [fit(str(first + i), CELL, right=True) for i in range(columns)]
            return [
                (" " * self._margin, None),
                ("".join(heads) if len(self.axes) == 2 else "", palette.faint),
            ]
        row = self.top[0] + y - 1
        if row >= self._extent(0) or y - 1 >= max(1, len(self.window)):
            return []
        line: Line = [(fit(str(row), self._margin - 1, right=True) + " ", palette.faint)]
        current = self.window_at == self.index()
        values = self.window[y - 1] if y - 1 < len(self.window) else []
        for i in range(columns):
            here = self._is_cursor(row, first + i)
            text = _text(values[i]) if current and i < len(values) else "…"
            style = self._heat(values[i]) if current and i < len(values) else palette.faint
            line.append(
                (fit(text, CELL, right=True), style + Style(reverse=True, bold=True) if here else style)
            )
        return line

    def _is_cursor(self, row: int, column: int) -> bool:
        at = [self.at[axis] for axis in self.axes]
        return (at or [0])[0] == row and (len(at) < 2 or at[1] == column)

    def _heat(self, value: Any) -> Style:
        palette = self.palette
        if isinstance(value, bool):
            return palette.good if value else palette.faint
        if not isinstance(value, int | float):
            return palette.string
        if not math.isfinite(value):
            return palette.badge(palette.bad)
        top = self._top()
        if palette.is_ansi or top <= 0 or value == 0:
            return palette.faint if value == 0 else palette.text
        share = min(1.0, abs(value) / top)
        base, ink = self._inks[value > 0]
        return Style(color=palette.text.color, bgcolor=base.blend(ink, 0.06 + 0.5 * share).hex6)

    @property
    def _inks(self) -> tuple[tuple[Color, Color], tuple[Color, Color]]:
        theme = self.app.current_theme.to_color_system().generate()
        base = Color.parse(theme["background"])
        return (base, Color.parse(theme["primary"])), (base, Color.parse(theme["accent"]))

    def _top(self) -> float:
        if self.stats is not None and self.stats.min is not None and self.stats.max is not None:
            return max(abs(self.stats.min), abs(self.stats.max))
        return max(
            (abs(v) for row in self.window for v in row if isinstance(v, int | float) and math.isfinite(v)),
            default=0.0,
        )

    # moving

    def _step(self, side: int, distance: int) -> None:
        if side < len(self.axes):
            axis = self.axes[side]
            self.at[axis] = max(0, min(self.at[axis] + distance, self.shape[axis] - 1))

    def action_move(self, down: int, right: int) -> None:
        self._step(0, down)
        self._step(1, right)
        self.ask()

    def action_page(self, down: int, right: int) -> None:
        self.action_move(down * self.rows, right * self.columns)

    def action_edge(self, down: int, right: int) -> None:
        self.action_move(down * 1 << 40, right * 1 << 40)

    def action_turn(self, side: int) -> None:
        """Show the next axis as rows (0) or columns (1); the two change places when they meet."""
        if len(self.axes) < 2:
            return
        other = self.axes[1 - side]
        before = self.axes[side]
        self.axes[side] = (before + 1) % len(self.shape)
        if self.axes[side] == other:
            self.axes[1 - side] = before
        self.top = [0, 0]
        self.window_at = None
        self.ask()

    @property
    def others(self) -> list[int]:
        """The axes that are not shown."""
        return [axis for axis in range(len(self.shape)) if axis not in self.axes]

    def action_pick(self) -> None:
        if self.others:
            self.fixed = (self.fixed + 1) % len(self.others)
            self.refresh()
            self.post_message(self.Wanted(self.index()))

    def action_slide(self, distance: int) -> None:
        if self.others:
            axis = self.others[self.fixed % len(self.others)]
            self.at[axis] = (self.at[axis] + distance) % max(1, self.shape[axis])
            self.ask()

    def go_to(self, at: list[int]) -> None:
        """Put the cursor on an element."""
        self.at = at
        self.ask()

    def on_resize(self) -> None:
        if self.shape and not self.message:
            self.ask()

    def value_here(self) -> Any:
        """The value under the cursor; None while it is not there."""
        if self.window_at != self.index() or not self.window:
            return None
        at = [self.at[axis] - self.top[side] for side, axis in enumerate(self.axes)] + [0, 0]
        return self.window[at[0]][at[1] if len(self.axes) == 2 else 0]


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, float):
        return number(value)
    return visible(str(value))
