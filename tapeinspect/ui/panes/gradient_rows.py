"""The rows and columns of the table of gradients."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from rich.style import Style

from tapeinspect.trace.records import Gradient, GradientCall, Reason, VariableStep
from tapeinspect.ui.format import basename, count, number, percent, shape, sparkline, visible
from tapeinspect.ui.palette import Palette
from tapeinspect.ui.widgets.cells import Line, fit, fit_start

HISTORY: Final = 48


@dataclass(frozen=True, slots=True)
class GradientRow:
    """A variable and its gradient in one call."""

    gradient: Gradient
    weight: VariableStep | None
    norms: tuple[float | None, ...]
    """Norm of the gradient over the last batches."""
    reason: Reason | None
    """Why it is None."""

    @property
    def top(self) -> float | None:
        """The largest absolute value."""
        low, high = self.gradient.min, self.gradient.max
        return None if low is None or high is None else max(abs(low), abs(high))

    @property
    def ratio(self) -> float | None:
        """Norm of the update over norm of the variable."""
        return self.weight.update_ratio if self.weight is not None else None


@dataclass(frozen=True, slots=True)
class CallRow:
    """The head of a group, where a batch has several gradient calls."""

    call: GradientCall
    sources: int
    norm: float | None
    """Global norm of the call's gradients."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the table: how wide, from which width on, what it says, what it sorts by."""

    name: str
    width: int
    least: int
    text: Callable[[GradientRow], str]
    key: Callable[[GradientRow], object]
    tone: Callable[[GradientRow, Palette], Style]


def _big(value: float | None) -> float:
    return -math.inf if value is None or math.isnan(value) else value


def _ratio_tone(row: GradientRow, palette: Palette) -> Style:
    ratio = row.ratio
    return palette.warn if ratio is not None and (ratio > 0.1 or 0 < ratio < 1e-6) else palette.text


COLUMNS: Final = (
    Column("shape", 13, 60, lambda r: shape(r.gradient.variable.shape),
           lambda r: -math.prod(r.gradient.variable.shape or (0,)), lambda r, p: p.name),
    Column("grad norm", 10, 0, lambda r: number(r.gradient.norm), lambda r: -_big(r.gradient.norm),
           lambda r, p: p.number),
    Column("max|g|", 9, 56, lambda r: number(r.top, 3), lambda r: -_big(r.top), lambda r, p: p.text),
    Column("zeros", 7, 90, lambda r: percent(r.gradient.zeros), lambda r: -r.gradient.zeros,
           lambda r, p: p.warn if r.gradient.zeros >= 0.9 else p.text),
    Column("NaN/Inf", 8, 40, lambda r: f"{r.gradient.nan}/{r.gradient.inf}" if r.gradient.nan or r.gradient.inf
           else "·", lambda r: -(r.gradient.nan + r.gradient.inf),
           lambda r, p: p.bad if r.gradient.nan or r.gradient.inf else p.faint),
    Column("upd/weight", 11, 70, lambda r: number(r.ratio, 3), lambda r: -_big(r.ratio), _ratio_tone),
    Column("weight", 9, 100, lambda r: number(r.weight.norm if r.weight else None),
           lambda r: -_big(r.weight.norm if r.weight else None), lambda r, p: p.muted),
)  # fmt: skip
_SORTS: Final = ("as given", "name", *(column.name for column in COLUMNS))


def layout(width: int, longest: int) -> tuple[int, list[Column], int]:
    """Width of the names, the columns that fit, and the width of the sparkline. `longest`: of the names."""
    columns = [column for column in COLUMNS if width >= column.least]
    left = width - sum(column.width for column in columns) - 2
    names = max(8, min(longest, left - 12 if left >= 32 else left))
    spark = min(HISTORY, left - names - 2)
    return names, columns, spark if spark >= 8 else 0


class GradientRows:
    """The rows of the table."""

    def __init__(self, rows: list[GradientRow | CallRow]) -> None:
        self.rows = rows
        names = [visible(row.gradient.variable.name) for row in rows if isinstance(row, GradientRow)]
        self.longest = max(map(len, names), default=8)

    def __len__(self) -> int:
        return len(self.rows)

    def line(self, index: int, width: int, palette: Palette) -> Line:
        row = self.rows[index]
        names, columns, spark = layout(width, self.longest)
        if isinstance(row, CallRow):
            call = row.call
            place = f"{basename(call.path)}:{call.line}" if call.path else ""
            return [(" ◂ ", palette.second), (f"tape {call.tape}.{call.method}", palette.strong),
                    (f"  {place} · {count(row.sources, 'variable')} · global norm {number(row.norm)}",
                     palette.muted)]  # fmt: skip
        gradient = row.gradient
        name: Line = [(" " + fit_start(visible(gradient.variable.name), names), palette.text), (" ", None)]
        if gradient.form == "none":
            text = (
                row.reason.message if row.reason is not None else "no path from the target to this variable"
            )
            room = max(1, width - names - 8)
            return [*name, (fit("None", 6), palette.warn), (fit(visible(text), room), palette.muted)]
        line = name
        for column in columns:
            line.append(
                (fit(column.text(row), column.width, right=column.name != "shape"), column.tone(row, palette))
            )
        if spark:
            bars = sparkline(row.norms[-spark:], logarithmic=True)
            line.append(("  " + bars, palette.bad if "!" in bars else palette.info))
        return line
