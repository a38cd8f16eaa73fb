"""What the screen over time draws: one figure of every variable over the batches. No Textual in here."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from tapeinspect.trace.reader import TraceReader
from tapeinspect.trace.records import Variable
from tapeinspect.trace.series import Figure, Magnitudes, Point


@dataclass(frozen=True, slots=True)
class Curves:
    """One figure of each variable of a recording."""

    figure: Figure
    steps: int
    """Batches there are."""
    per: int
    """Batches to a point."""
    variables: tuple[Variable, ...]
    """Those that have the figure, in the order they became known."""
    points: dict[int, dict[int, Point]] = field(default_factory=dict)
    """By id of the variable, then by number of the point, from 0."""

    @property
    def cells(self) -> int:
        """How many points there are room for."""
        return math.ceil(self.steps / self.per) if self.steps else 0

    def cell_of(self, step: int) -> int:
        """The number of the point that a batch is in."""
        return (step - 1) // self.per

    def at(self, variable: int, step: int) -> Point | None:
        """The point of a variable that a batch is in."""
        return self.points.get(variable, {}).get(self.cell_of(step))

    def range(self) -> tuple[float, float] | None:
        """Least and greatest value of all, above 0 where the figure spans orders of magnitude."""
        values = [
            point.value
            for points in self.points.values()
            for point in points.values()
            if point.value is not None and (point.value > 0 or not self.figure.logarithmic)
        ]
        return (min(values), max(values)) if values else None


def curves(reader: TraceReader, figure: Figure, cells: int) -> Curves:
    """A figure of every variable in at most `cells` points. Scans the recording."""
    steps = reader.counts.steps
    per = max(1, math.ceil(steps / max(1, cells)))
    found = reader.series.points(figure, per)
    points = {
        variable: {(point.step - 1) // per: point for point in line}
        for variable, line in found.items()
        if any(point.value is not None or point.bad for point in line)
    }
    variables = tuple(variable for variable in reader.variables() if variable.id in points)
    return Curves(figure, steps, per, variables, points)


def share(value: float, low: float, high: float, logarithmic: bool) -> float:
    """Where a value lies between two others, 0 to 1; halfway when they are the same."""
    if logarithmic:
        if value <= 0:
            return 0.0
        value, low, high = math.log(value), math.log(low), math.log(high)
    return min(1.0, max(0.0, (value - low) / (high - low))) if high > low else 0.5


@dataclass(frozen=True, slots=True)
class Distribution:
    """How the entries of one variable's gradient, value or update are spread over magnitudes, batch by batch."""

    columns: tuple[Magnitudes, ...]
    """One for each column drawn, oldest first."""
    top: int
    """The largest exponent of two."""
    bottom: int

    def share(self, column: int, high: int, low: int) -> float:
        """Share of the entries of a column whose exponent is from `low` to `high`."""
        counts = self.columns[column]
        return sum(counts.counts.get(k, 0) for k in range(low, high + 1)) / max(1, counts.seen)


def distribution(magnitudes: Sequence[Magnitudes], columns: int) -> Distribution | None:
    """The distribution in at most so many columns, the batches evenly left out; None when there is none."""
    if not magnitudes or columns < 1:
        return None
    every = math.ceil(len(magnitudes) / columns)
    shown = tuple(magnitudes[::-1][::every][::-1])
    exponents = [k for column in shown for k in column.counts]
    if not exponents:
        return None
    return Distribution(shown, max(exponents), min(exponents))
