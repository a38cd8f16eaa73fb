"""A tensor's values in a grid that scrolls over any rank by choosing the two axes shown."""

from __future__ import annotations

import asyncio
import itertools
import math
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen
from textual.widgets import Input

from tapeinspect.trace.records import Stats, TensorSpec
from tapeinspect.ui.format import number, percent, shape, visible
from tapeinspect.ui.values import Recorded, Source, Unavailable, condition, figures, open_source
from tapeinspect.ui.widgets.bars import Bar
from tapeinspect.ui.widgets.cells import Line, fit
from tapeinspect.ui.widgets.grid import Grid
from tapeinspect.ui.widgets.work import begin

if TYPE_CHECKING:
    from tapeinspect.ui.subject import Subject

_KEYS = (("Esc", "close"), ("/", "search"), ("[ ]", "slide"), ("Tab", "slide axis"), ("r", "rows"), ("c", "columns"),
         ("y", "copy"), ("g G", "top, bottom"))  # fmt: skip


class ValueHead(Bar):
    """What the tensor is, which slice of it is shown, and its figures."""

    DEFAULT_CSS = "ValueHead { height: 2; background: $panel; }"

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name_of, self.spec, self.stats = name, "", ""
        self.slice = ""

    def line(self, y: int, width: int) -> Line:
        palette = self.palette
        if y == 0:
            return [(f" {self.name_of} ", palette.strong), (f" {self.spec} ", palette.name),
                    (f"  {self.slice}", palette.accent)]  # fmt: skip
        return [(fit(" " + self.stats, width), palette.muted)]


class ValueFoot(Bar):
    """The keys of the grid."""

    def line(self, y: int, width: int) -> Line:
        pieces: Line = []
        for key, text in _KEYS:
            pieces += [(f" {key}", self.palette.accent), (f" {text} ", self.palette.text)]
        return pieces


class ValueScreen(ModalScreen[None]):
    """The grid over the main screen."""

    DEFAULT_CSS = """
    ValueScreen { background: $background; layout: vertical; }
    ValueScreen #seek { height: 1; border: none; padding: 0 1; background: $panel; display: none; }
    ValueScreen #seek.-open { display: block; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Close", show=False, priority=True),
        Binding("q,v,ctrl+q", "leave", "Close", show=False),
        Binding("slash", "seek", "Search", show=False),
        Binding("full_stop", "again(1)", "Next", show=False),
        Binding("comma", "again(-1)", "Previous", show=False),
        Binding("y", "copy", "Copy", show=False),
    ]

    def __init__(self, subject: Subject, tensor: int) -> None:
        super().__init__()
        self.subject, self.tensor = subject, tensor
        self.source: Source | None = None
        name, self.spec = _name(subject, tensor)
        self.head = ValueHead(name)
        self.grid = Grid(id="grid")
        self.wanted = ""
        """What was searched for."""

    def compose(self) -> ComposeResult:
        yield self.head
        yield self.grid
        yield Input(id="seek", placeholder="a number, nan, inf, >3, <=-1", compact=True)
        yield ValueFoot()

    def on_mount(self) -> None:
        self.grid.focus()
        if self.spec is not None:
            self.head.spec = f"{self.spec.dtype} {shape(self.spec.shape)}"
        begin(self, self._open, "open")

    async def _open(self) -> None:
        try:
            self.source = await open_source(self.subject, self.tensor, self.spec)
        except Unavailable as answer:
            self.grid.say(answer.why, answer.hint)
            return
        spec = self.source.spec
        self.head.spec = f"{spec.dtype} {shape(spec.shape)}"
        if not math.prod(spec.shape or ()):
            self.grid.say("The tensor is empty", f"Its shape is {shape(spec.shape)}")
        else:
            self.grid.show(spec.shape or ())
        self._tell()
        stats = await figures(self.subject, self.tensor)
        if isinstance(stats, Stats):
            self.grid.stats = stats
            self.head.stats = _figures(stats)
            self.grid.refresh()
        else:
            self.head.stats = visible(stats)
        self._tell()

    def _tell(self) -> None:
        grid = self.grid
        self.head.slice = grid.slice()
        if grid.others:
            axis = grid.others[grid.fixed % len(grid.others)]
            self.head.slice += f"  [ ] slide axis {axis}"
        self.head.refresh()

    async def on_grid_wanted(self, event: Grid.Wanted) -> None:
        self._tell()
        if self.source is not None:
            begin(self, lambda: self._fetch(event), "window")

    async def _fetch(self, event: Grid.Wanted) -> None:
        assert self.source is not None
        try:
            window = await self.source.window(event.index)
        except Unavailable as answer:
            self.grid.say(answer.why, answer.hint)
            return
        self.grid.fill(event.index, window)

    # keys

    def action_leave(self) -> None:
        seek = self.query_one("#seek", Input)
        if seek.has_class("-open"):
            seek.remove_class("-open")
            self.grid.focus()
        else:
            self.dismiss(None)

    def action_seek(self) -> None:
        seek = self.query_one("#seek", Input)
        seek.add_class("-open")
        seek.focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.input.remove_class("-open")
        self.grid.focus()
        self.wanted = event.value.strip()
        self.action_again(1)

    def action_again(self, direction: int) -> None:
        if not self.wanted or self.source is None or not self.grid.shape:
            self.notify("/ searches for a value.", markup=False)
            return
        begin(self, lambda: self._search(direction), "search")

    async def _search(self, direction: int) -> None:
        try:
            test = condition(self.wanted)
        except ValueError:
            self.notify(f"“{self.wanted}” is not a value: try 0.5, nan, >3", markup=False, severity="warning")
            return
        dims = self.grid.shape
        if isinstance(self.source, Recorded):
            source = self.source
            flat = sum(at * math.prod(dims[axis + 1 :]) for axis, at in enumerate(self.grid.at))
            found = await asyncio.to_thread(_scan, source, test, flat, direction)
            if found is not None:
                self.grid.go_to(
                    [found // math.prod(dims[axis + 1 :]) % size for axis, size in enumerate(dims)]
                )
                return
        else:
            where = next((at for at in self._cells(direction) if test(at[1])), None)
            if where is not None:
                self.grid.go_to(where[0])
                return
        self.notify(f"“{self.wanted}” was not found.", markup=False, severity="warning")

    def _cells(self, direction: int):  # type: ignore[no-untyped-def]
        """The cells in sight behind the cursor, then those before it: all that is here of a live value."""
        grid = self.grid
        sides = [range(len(grid.window)), range(len(grid.window[0]) if grid.window else 0)]
        cells = []
        for row, column in itertools.product(*sides):
            at = list(grid.at)
            for side, axis in enumerate(grid.axes):
                at[axis] = grid.top[side] + (row, column)[side]
            cells.append((at, grid.window[row][column]))
        here = next((i for i, (at, _) in enumerate(cells) if at == grid.at), 0)
        ordered = [*cells[here + 1 :], *cells[: here + 1]]
        return ordered if direction > 0 else [*reversed(cells[:here]), *reversed(cells[here:])]

    def action_copy(self) -> None:
        value = self.grid.value_here()
        if value is not None:
            self.app.copy_to_clipboard(str(value))
            self.notify(f"Copied: {value}", markup=False)


def _scan(source: Recorded, test, start: int, direction: int) -> int | None:  # type: ignore[no-untyped-def]
    for distance in range(1, source.size + 1):
        flat = (start + direction * distance) % source.size
        if test(source.at(flat)):
            return flat
    return None


def _name(subject: Subject, tensor: int) -> tuple[str, TensorSpec | None]:
    reader = subject.reader
    producer = reader.producer(tensor) if reader is not None else None
    if reader is None or producer is None:
        return f"tensor {tensor}", None
    op = reader.op(producer)
    slot, spec = next(((i, o.spec) for i, o in enumerate(op.outputs) if o.id == tensor), (0, None))
    which = f" output {slot}" if len(op.outputs) > 1 else ""
    return f"{visible(op.row.type)} {producer}{which}", spec


def _figures(stats: Stats) -> str:
    parts = [f"min {number(stats.min)}", f"max {number(stats.max)}", f"mean {number(stats.mean)}",
             f"std {number(stats.std)}", f"zeros {percent(stats.zeros / stats.size if stats.size else None)}",
             f"{stats.size:,} values"]  # fmt: skip
    if stats.nan or stats.inf:
        parts.insert(0, f"{stats.nan:,} NaN · {stats.inf:,} Inf")
    return " · ".join(parts)
