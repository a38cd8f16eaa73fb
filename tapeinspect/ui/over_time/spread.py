"""How the entries of one variable are spread over magnitudes, batch by batch."""

from __future__ import annotations

import math

from rich.style import Style

from tapeinspect.ui.format import number
from tapeinspect.ui.over_time.data import Distribution
from tapeinspect.ui.over_time.heat import cell
from tapeinspect.ui.widgets.bars import Bar
from tapeinspect.ui.widgets.cells import Line, fit

_AXIS = 10


class SpreadMap(Bar):
    """Magnitudes from top to bottom, batches from left to right, brighter where more entries are."""

    DEFAULT_CSS = "SpreadMap { height: 1fr; background: $surface; }"

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self.title = ""
        self.shown: Distribution | None = None
        self.missing = ""

    def draw(self, title: str, shown: Distribution | None, missing: str) -> None:
        """Show a distribution; `missing` is said when there is none."""
        self.title, self.shown, self.missing = title, shown, missing
        self.refresh()

    @property
    def columns(self) -> int:
        """Columns for batches."""
        return max(1, self.size.width - _AXIS - 2)

    def line(self, y: int, width: int) -> Line:
        palette, shown = self.palette, self.shown
        if y == 0:
            return [(" " + self.title, palette.strong)]
        if shown is None:
            return [(" " + self.missing, palette.muted)] if y == 2 else []
        rows = self.size.height - 3
        if y > rows:
            return self._foot(y - rows, palette.faint)
        each = max(1, math.ceil((shown.top - shown.bottom + 1) / max(1, rows)))
        high = shown.top - (y - 1) * each
        if high < shown.bottom:
            return []
        low = max(shown.bottom, high - each + 1)
        line: Line = [(fit(number(2.0**low, 3), _AXIS - 1, right=True) + " ", palette.faint)]
        wide = max(1, min(4, self.columns // len(shown.columns)))
        for column in range(len(shown.columns)):
            share = shown.share(column, high, low)
            text, style = cell(palette, math.sqrt(share) if share else None, bool(shown.columns[column].bad))
            line.append((text * wide, style))
        return line

    def _foot(self, y: int, style: Style) -> Line:
        assert self.shown is not None
        first, last = self.shown.columns[0], self.shown.columns[-1]
        if y == 1:
            zeros = last.zeros / max(1, last.seen)
            return [
                (" " * _AXIS + f"batches {first.step} to {last.step} · {zeros:.0%} zeros in the last", style)
            ]
        text = f"of {last.seen:,} entries a batch; the brighter, the more of them are this large"
        return [(" " * _AXIS + text, style)]
