"""The user's source: the line of the selected op, the expression lit up, and what each line ran."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, ClassVar

from textual.binding import BindingType

from tapeinspect.trace.records import Frame, LineCost, SourceFile
from tapeinspect.ui.format import basename, took
from tapeinspect.ui.highlight import Words, coloured_lines, plain_lines
from tapeinspect.ui.palette import Palette
from tapeinspect.ui.widgets.cells import Line, fit, styled_span
from tapeinspect.ui.widgets.line_list import SIDEWAYS, LineList, NoRows
from tapeinspect.ui.widgets.work import begin

if TYPE_CHECKING:
    from tapeinspect.trace.reader import TraceReader

MANY = 20_000
"""Ops from which on those of the lines are counted on a thread."""


class SourceRows:
    """The lines of a file with a gutter: number, ops and time."""

    def __init__(self, lines: tuple[Words, ...], costs: dict[int, LineCost]) -> None:
        self.lines = lines
        self.costs = costs
        self.frame: Frame | None = None
        self.picked: int | None = None
        """The line whose ops the list shows, when it is filtered by one."""
        self.shift = 0
        self.digits = len(str(len(lines)))
        self.ops_width = max((len(str(cost.ops)) for cost in costs.values()), default=0)
        self.top = max((cost.took_ns for cost in costs.values()), default=0)

    def __len__(self) -> int:
        return len(self.lines)

    def line(self, index: int, width: int, palette: Palette) -> Line:
        number = index + 1
        frame = self.frame
        current = frame is not None and frame.line == number
        gutter: Line = [
            ("▶" if current else "▎" if number == self.picked else " ", palette.accent),
            (fit(str(number), self.digits, right=True), palette.accent if current else palette.faint),
            *self._cost(number, width, palette),
            (" ", None),
        ]
        code: Line = [(text, getattr(palette, kind)) for text, kind in self.lines[index]]
        if (
            frame is not None
            and frame.line is not None
            and frame.line <= number <= (frame.end_line or frame.line)
        ):
            start = (frame.col or 0) if number == frame.line else self._indent(index)
            end = frame.end_col if number == (frame.end_line or frame.line) else None
            if frame.col is not None:
                code = styled_span(code, start, 10**6 if end is None else end, palette.expression)
        return gutter + (_cut(code, self.shift) if self.shift else code)

    def _indent(self, index: int) -> int:
        text = "".join(text for text, _ in self.lines[index])
        return len(text) - len(text.lstrip())

    def _cost(self, number: int, width: int, palette: Palette) -> Line:
        if not self.costs:
            return []
        cost = self.costs.get(number)
        time = width >= 58
        if cost is None or not cost.ops:
            return [(" " * (self.ops_width + 1 + (8 if time else 0)), None)]
        hot = self.top and cost.took_ns > self.top * 0.25
        pieces: Line = [(" " + fit(str(cost.ops), self.ops_width, right=True), palette.name)]
        if time:
            pieces.append((fit(took(cost.took_ns), 8, right=True), palette.warn if hot else palette.muted))
        return pieces


def _cut(line: Line, columns: int) -> Line:
    result: Line = []
    for text, style in line:
        if columns < len(text):
            result.append((text[columns:], style))
        columns = max(0, columns - len(text))
    return result


class SourcePane(LineList):
    """One file of the user's."""

    BINDINGS: ClassVar[list[BindingType]] = SIDEWAYS
    selectable = True

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id, title="Source")
        self.empty = "The code of the selected op will be here"
        self.file: SourceFile | None = None
        self.step: int | None = -1
        self._followed: Frame | None = None

    def show_frame(self, reader: TraceReader, frame: Frame | None, step: int | None, note: str = "") -> None:
        """Bring the line of a frame into sight and light up its expression."""
        if frame is None:
            self.file = None
            self.empty = (
                "No line of your own code ran this op\nIt was called by a library, or by Python itself"
            )
            self.rows = NoRows()
            self.set_title("Source")
            self.resize_rows()
            self.refresh()
            return
        if self.file is None or self.file.id != frame.file or self.step != step:
            self._load(reader, frame, step)
        rows = self.rows
        title = f"{basename(frame.path)}:{frame.line or '?'}  {frame.function}"
        self.set_title(title, note)
        if isinstance(rows, SourceRows) and frame.line is not None:
            before, rows.frame = rows.frame, frame
            for lit in (before, frame):
                if lit is not None and before != frame:
                    self._refresh_lines(lit)
            cursor, self.cursor = self.cursor, min(frame.line, len(rows)) - 1
            if cursor != self.cursor:
                self.refresh_row(cursor)
                self.refresh_row(self.cursor)
            top = self.scroll_offset.y
            if not top + min(3, self.page // 3) <= self.cursor < top + self.page - min(3, self.page // 3):
                self._place()

    def _place(self) -> None:
        """Bring the frame's line into sight, with more of what follows than of what is before."""
        self.scroll_to(y=max(0, self.cursor - self.page // 3), animate=False, force=True, immediate=True)

    def on_resize(self) -> None:
        self._place()

    def _refresh_lines(self, frame: Frame) -> None:
        """Draw the lines of a frame anew."""
        first = frame.line or 1
        for key in list(self._strips.keys()):
            if first <= key[0] + 1 <= (frame.end_line or first):
                self._strips.discard(key)
        for line in range(first, (frame.end_line or first) + 1):
            self.refresh_row(line - 1)

    def _load(self, reader: TraceReader, frame: Frame, step: int | None) -> None:
        same = self.file is not None and self.file.id == frame.file
        self.file, self.step = reader.file(frame.file), step
        source = self.file.source
        if source is None:
            self.empty = (
                f"{basename(frame.path)}:{frame.line or '?'}\nThe recording does not hold this file's source"
            )
            self.rows = NoRows()
            self.resize_rows()
            self.refresh()
            return
        whole = step is None and reader.counts.ops > MANY
        costs = {} if whole else reader.line_costs(frame.file, step)
        old = self.rows
        rows = SourceRows(old.lines if same and isinstance(old, SourceRows) else plain_lines(source), costs)
        if same and isinstance(old, SourceRows):
            rows.picked, rows.shift = old.picked, old.shift
        self.rows = rows
        self._strips.clear()
        self.resize_rows()
        self.refresh()
        if whole:
            begin(self, lambda: self._count(reader), "costs")
        if not same:
            self.run_worker(lambda: self._colour(source, rows), thread=True, exclusive=True, group="colour")

    async def _count(self, reader: TraceReader) -> None:
        file, step = self.file, self.step
        if file is None:
            return
        costs = await asyncio.to_thread(reader.line_costs, file.id, step)
        if self.file is file and self.step == step:
            self._show_costs(costs)

    def _colour(self, source: str, rows: SourceRows) -> None:
        lines = coloured_lines(source)
        self.app.call_from_thread(self._coloured, lines, rows)

    def _coloured(self, lines: tuple[Words, ...], rows: SourceRows) -> None:
        current = self.rows
        if isinstance(current, SourceRows) and len(lines) == len(current.lines) == len(rows.lines):
            current.lines = lines
            self.repaint()

    def refresh_costs(self, reader: TraceReader) -> None:
        """The batch has grown: count the ops of each line again."""
        rows = self.rows
        if self.file is None or not isinstance(rows, SourceRows):
            return
        if self.step is None and reader.counts.ops > MANY:
            begin(self, lambda: self._count(reader), "costs")
        else:
            self._show_costs(reader.line_costs(self.file.id, self.step))

    def _show_costs(self, costs: dict[int, LineCost]) -> None:
        rows = self.rows
        if not isinstance(rows, SourceRows):
            return
        fresh = SourceRows(rows.lines, costs)
        fresh.frame, fresh.picked, fresh.shift = rows.frame, rows.picked, rows.shift
        self.rows = fresh
        self.repaint()

    def pick(self, line: int | None) -> None:
        """Mark the line that the op list is filtered by."""
        if isinstance(self.rows, SourceRows):
            self.rows.picked = line
            self.repaint()

    def action_sideways(self, columns: int) -> None:
        if isinstance(self.rows, SourceRows):
            self.rows.shift = max(0, self.rows.shift + columns)
            self.repaint()

    def text_of(self, index: int) -> str:
        rows = self.rows
        if isinstance(rows, SourceRows):
            return "".join(text for text, _ in rows.lines[index])
        return ""
