"""One cell per batch: its height says the loss, its colour whether something went wrong."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from rich.style import Style
from textual import events
from textual.message import Message

from tapeinspect.ui.format import BARS
from tapeinspect.ui.format import loss as loss_text
from tapeinspect.ui.widgets.bars import Bar
from tapeinspect.ui.widgets.cells import Line


@dataclass(frozen=True, slots=True)
class Batch:
    """What a cell shows."""

    loss: float | None
    bad: bool = False
    """NaN or Inf turned up in it."""
    error: bool = False
    """An exception ended the script in it."""
    running: bool = False
    noted: bool = False
    """An error or a warning was found about it."""


class Timeline(Bar):
    """The batches of the run from left to right, with the viewed and the live one marked below."""

    DEFAULT_CSS = "Timeline { height: 2; background: $surface; } Timeline.-flat { height: 1; }"

    @dataclass
    class Picked(Message):
        """The user clicked on a batch (from 1)."""

        batch: int

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self.batches: Sequence[Batch] = ()
        self.viewed: int | None = None
        self.live: int | None = None
        self.waiting = "No batch yet"

    def say(self, batches: Sequence[Batch], viewed: int | None, live: int | None, waiting: str) -> None:
        """Show these batches; `live` is where a running script is, None for a recording."""
        before = (self.batches, self.viewed, self.live, self.waiting)
        if before != (batches, viewed, live, waiting):
            self.batches, self.viewed, self.live, self.waiting = batches, viewed, live, waiting
            self.refresh()

    def _layout(self, width: int) -> tuple[int, int, int]:
        """Columns a cell, batches a cell, and the first column."""
        room = max(1, width - 2)
        if len(self.batches) * 2 <= room:
            return 2, 1, 1
        return 1, max(1, math.ceil(len(self.batches) / room)), 1

    def _column(self, batch: int, width: int) -> int:
        columns, bucket, left = self._layout(width)
        return left + (batch - 1) // bucket * columns

    def line(self, y: int, width: int) -> Line:
        if not self.batches:
            return [(" " + self.waiting if y == 0 else "", self.palette.muted)]
        return self._cells(width) if y == 0 else self._marks(width)

    def _cells(self, width: int) -> Line:
        columns, bucket, left = self._layout(width)
        losses = [b.loss for b in self.batches if b.loss is not None and math.isfinite(b.loss)]
        low, high = (min(losses), max(losses)) if losses else (0.0, 0.0)
        line: Line = [(" " * left, None)]
        for start in range(0, len(self.batches), bucket):
            group = self.batches[start : start + bucket]
            viewed = self.viewed is not None and start < self.viewed <= start + bucket
            style, bar = self._cell(group, low, high)
            if viewed:
                style = style + Style(reverse=True) if self.palette.is_ansi else style + self.palette.cursor
            live = self.live is not None and start < self.live <= start + bucket
            line.append((bar, style + Style(bold=True) if live else style))
            if columns == 2:
                line.append((" ", None))
        return line

    def _cell(self, group: Sequence[Batch], low: float, high: float) -> tuple[Style, str]:
        palette = self.palette
        if any(batch.error for batch in group):
            return palette.bad, "✖"
        losses = [b.loss for b in group if b.loss is not None and math.isfinite(b.loss)]
        share = (sum(losses) / len(losses) - low) / (high - low) if losses and high > low else 3 / 7
        bar = BARS[round(share * 7)]
        if any(batch.bad for batch in group):
            return palette.bad, "█" if not losses else bar
        if any(batch.noted for batch in group):
            return palette.warn, bar
        if any(batch.running for batch in group):
            return palette.accent, "░"
        return palette.info if losses else palette.muted, bar

    def _marks(self, width: int) -> Line:
        palette, viewed, live = self.palette, self.viewed, self.live
        marks: list[tuple[int, str, Style]] = []
        if viewed is not None:
            loss = self.batches[viewed - 1].loss if viewed <= len(self.batches) else None
            text = f"▲ batch {viewed}" + (f" · loss {loss_text(loss)}" if loss is not None else "")
            if viewed == live:
                text += " · live"
            marks.append((self._column(viewed, width), text, palette.accent + Style(bold=True)))
        if live is not None and live != viewed:
            marks.append((self._column(live, width), f"● batch {live} live", palette.good + Style(bold=True)))
        marks.sort()
        line: Line = []
        at = 0
        for i, (column, text, style) in enumerate(marks):
            rest = sum(len(other) + 2 for _, other, _ in marks[i + 1 :])
            start = max(at, min(column, width - len(text) - rest))
            line += [(" " * (start - at), None), (text, style)]
            at = start + len(text) + 2
            line.append(("  ", None))
        return line

    def on_click(self, event: events.Click) -> None:
        columns, bucket, left = self._layout(self.size.width)
        batch = (event.x - left) // columns * bucket + 1
        if 1 <= batch <= len(self.batches):
            self.post_message(self.Picked(batch))
