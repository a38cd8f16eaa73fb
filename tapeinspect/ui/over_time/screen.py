"""The screen over time: curves and a heat map of one figure of every variable."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.screen import Screen

from tapeinspect.trace.reader import TraceReader
from tapeinspect.trace.records import Variable
from tapeinspect.trace.series import FIGURES, Figure, Point
from tapeinspect.ui.format import count, visible
from tapeinspect.ui.over_time.data import Curves, curves, distribution
from tapeinspect.ui.over_time.heat import HeatRows, cells_width
from tapeinspect.ui.over_time.plot import SERIES, Curve, CurvePlot
from tapeinspect.ui.over_time.spread import SpreadMap
from tapeinspect.ui.widgets.bars import Bar
from tapeinspect.ui.widgets.cells import Line
from tapeinspect.ui.widgets.line_list import SIDEWAYS, LineList, NoRows
from tapeinspect.ui.widgets.work import begin

if TYPE_CHECKING:
    from tapeinspect.ui.subject import Subject

_KEYS = (("Esc", "close"), ("f F", "figure"), ("← →", "batch"), ("x", "curve"), ("b", "compare"),
         ("m", "magnitudes"), ("Enter", "view"), ("y", "copy"))  # fmt: skip


class HeatList(LineList):
    """The variables, a row each."""

    BINDINGS: ClassVar[list[BindingType]] = SIDEWAYS
    has_head = True

    def head_line(self, width: int) -> Line:
        return self.rows.head(width, self.palette) if isinstance(self.rows, HeatRows) else []

    def action_sideways(self, columns: int) -> None:
        screen = self.screen
        if isinstance(screen, OverTimeScreen):
            screen.move(1 if columns > 0 else -1)


class Keys(Bar):
    """The keys of the screen."""

    def line(self, y: int, width: int) -> Line:
        pieces: Line = []
        for key, text in _KEYS:
            pieces += [(f" {key}", self.palette.accent), (f" {text} ", self.palette.text)]
        return pieces


class OverTimeScreen(Screen[int | None]):
    """Figures over the batches; the result is the batch to view."""

    DEFAULT_CSS = """
    OverTimeScreen { layout: vertical; background: $background; }
    OverTimeScreen #top { height: 55%; }
    OverTimeScreen #spread { display: none; }
    OverTimeScreen.-spread #curves { display: none; }
    OverTimeScreen.-spread #spread { display: block; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,t,ctrl+q", "leave", "Close", show=False),
        Binding("f", "figure(1)", "Next figure", show=False),
        Binding("F", "figure(-1)", "Previous figure", show=False),
        Binding("m", "spread", "Magnitudes", show=False),
        Binding("x", "pin", "Add the curve", show=False),
        Binding("b", "against", "Compare with this batch", show=False),
        Binding("left_square_bracket", "move(-1)", "Older", show=False),
        Binding("right_square_bracket", "move(1)", "Newer", show=False),
        Binding("y", "copy", "Copy", show=False),
    ]

    def __init__(self, subject: Subject, step: int | None, variable: int | None = None) -> None:
        super().__init__()
        self.subject = subject
        self.step = step or max(1, subject.counts.steps)
        """The batch that the figures are of."""
        self.figure: Figure = FIGURES[0]
        self.curves: Curves | None = None
        self.other: dict[str, list[Point]] = {}
        """The figure in the other recording, by name of the variable."""
        self.pinned: set[int] = set()
        self.against: int | None = None
        self._first = variable
        self._seen = -1
        self.list = HeatList(id="heat", title="Over time")
        self.plot = CurvePlot(id="curves")
        self.spread = SpreadMap(id="spread")

    def compose(self) -> ComposeResult:
        with Container(id="top"):
            yield self.plot
            yield self.spread
        yield self.list
        yield Keys()

    def on_mount(self) -> None:
        self.list.empty = "Reading the figures …"
        self.list.focus()
        self.set_interval(1.0, self._grow)
        self.call_after_refresh(self._load)

    def on_resize(self) -> None:
        if self._seen >= 0:
            self.call_after_refresh(self._load)

    def _grow(self) -> None:
        if self._seen >= 0 and self.subject.counts.steps != self._seen:
            self._load()

    def _load(self) -> None:
        begin(self, self._read, "figures")

    async def _read(self) -> None:
        reader = self.subject.reader
        if reader is None:
            self.list.empty = self.subject.waiting_for()
            self.list.repaint()
            return
        self._seen = self.subject.counts.steps
        self.other = await asyncio.to_thread(_other, self.subject.other, self.figure)
        longest = max((len(visible(variable.name)) for variable in reader.variables()), default=8)
        columns = 1 + 2 * (self.against is not None) + bool(self.other)
        cells = max(8, cells_width(longest, self.list.inner_width, columns))
        self.curves = await asyncio.to_thread(curves, reader, self.figure, cells)
        self._show()

    # what is shown

    @property
    def variable(self) -> Variable | None:
        """The variable under the cursor."""
        if self.curves is None or not self.curves.variables:
            return None
        return self.curves.variables[min(self.list.cursor, len(self.curves.variables) - 1)]

    def _show(self) -> None:
        found = self.curves
        if found is None:
            return
        self.step = max(1, min(self.step, found.steps))
        here = self.figure.title
        self.list.set_title(f"{here}  {count(len(found.variables), 'variable')}", self._note())
        if not found.variables:
            self.list.empty = _nothing(self.figure)
            self.list.rows = NoRows()
            self.list.resize_rows()
            self.list.repaint()
            self._draw()
            return
        other = {name: at for name, line in self.other.items() if (at := _at(line, self.step)) is not None}
        cursor = None
        if self._first is not None:
            ids = [variable.id for variable in found.variables]
            cursor = ids.index(self._first) if self._first in ids else 0
            self._first = None
        self.list.show(HeatRows(found, self.step, self.pinned, self.against, other), cursor)
        self._draw()

    def _note(self) -> str:
        if self.against is not None:
            return f"batch {self.step} against batch {self.against}"
        return f"other run: {self.subject.other.path.name}" if self.subject.other is not None else ""

    def on_line_list_moved(self, event: LineList.Moved) -> None:
        self._draw()

    def _draw(self) -> None:
        variable, found = self.variable, self.curves
        if variable is None or found is None:
            self.plot.draw([], self.figure.title, False, None)
            self.spread.draw(self.figure.title, None, _nothing(self.figure))
            return
        if self.has_class("-spread"):
            self._draw_spread(variable)
            return
        drawn = [variable, *(v for v in found.variables if v.id in self.pinned and v is not variable)]
        lines = []
        for one in drawn[:SERIES]:
            lines.append(Curve(one.name, tuple(found.points[one.id].values())))
            if one.name in self.other:
                lines.append(Curve(f"{one.name} (other run)", tuple(self.other[one.name]), dotted=True))
        self.plot.draw(lines, self.figure.title, self.figure.logarithmic, self.step, found.per)

    def _draw_spread(self, variable: Variable) -> None:
        reader = self.subject.reader
        assert reader is not None
        shown = distribution(reader.series.magnitudes(variable.id, self.figure.subject), self.spread.columns)
        title = f"{visible(variable.name)}  how large the entries of its {self.figure.subject} are"
        self.spread.draw(title, shown, f"Nothing was measured of its {self.figure.subject}.")

    # keys

    def move(self, batches: int) -> None:
        """Take the figures of an older or newer batch."""
        if self.curves is not None:
            self.step = max(1, min(self.curves.steps, self.step + batches * self.curves.per))
            self._show()

    def action_move(self, batches: int) -> None:
        self.move(batches)

    def action_figure(self, direction: int) -> None:
        at = FIGURES.index(self.figure)
        self.figure = FIGURES[(at + direction) % len(FIGURES)]
        variable = self.variable
        self._first = variable.id if variable is not None else None
        self._load()

    def action_spread(self) -> None:
        self.toggle_class("-spread")
        self.call_after_refresh(self._draw)

    def action_pin(self) -> None:
        variable = self.variable
        if variable is not None:
            self.pinned ^= {variable.id}
            self._show()

    def action_against(self) -> None:
        self.against = None if self.against == self.step else self.step
        self._load()

    def action_copy(self) -> None:
        text = self.list.copy_text()
        if text:
            self.app.copy_to_clipboard(text)
            self.notify("Copied the row.", markup=False)

    def action_leave(self) -> None:
        self.dismiss(None)

    def on_line_list_chosen(self, event: LineList.Chosen) -> None:
        self.dismiss(self.step)


def _nothing(figure: Figure) -> str:
    what = {
        "gradient": "gradient was asked for",
        "update": "variable was changed",
        "weight": "variable was read",
    }
    return f"No {what[figure.subject]} in a batch so far\nf shows the next figure"


def _other(reader: TraceReader | None, figure: Figure) -> dict[str, list[Point]]:
    if reader is None:
        return {}
    points = reader.series.points(figure)
    return {variable.name: points[variable.id] for variable in reader.variables() if variable.id in points}


def _at(line: list[Point], step: int) -> Point | None:
    return next((point for point in line if point.step == step), None)
