"""The curves of some variables, drawn by plotext."""

from __future__ import annotations

from dataclasses import dataclass

from textual.color import Color
from textual_plotext import PlotextPlot

from tapeinspect.trace.series import Point
from tapeinspect.ui.format import number, visible
from tapeinspect.ui.palette import palette_for

SERIES = 6
"""Curves drawn at once."""


@dataclass(frozen=True, slots=True)
class Curve:
    """One line of the plot."""

    name: str
    points: tuple[Point, ...]
    dotted: bool = False
    """It comes from the other recording."""


class CurvePlot(PlotextPlot):
    """Curves over the batches, with the viewed batch marked."""

    DEFAULT_CSS = "CurvePlot { height: 1fr; background: $surface; }"

    def draw(
        self, curves: list[Curve], title: str, logarithmic: bool, step: int | None, per: int = 1
    ) -> None:
        """Show these curves; per: batches to a point."""
        plot = self.plt
        plot.clear_figure()
        colours = self._colours()
        shown = 0
        drawn_curves: list[list[tuple[int, float]]] = []
        for index, curve in enumerate(curves[:SERIES]):
            known = [(p.step, p.value) for p in curve.points if p.value is not None]
            if logarithmic:
                known = [(at, value) for at, value in known if value > 0]
            if not known:
                continue
            shown += 1
            drawn_curves.append(known)
            steps, values = zip(*known, strict=True)
            draw = plot.scatter if curve.dotted or len(known) == 1 else plot.plot
            draw(
                steps,
                values,
                label=visible(curve.name),
                color=colours[index % len(colours)],
                marker="braille",
            )
        drawn_values = [v for curve in drawn_curves for _, v in curve]
        low, high = min(drawn_values, default=0.0), max(drawn_values, default=0.0)
        logarithmic = logarithmic and low < high  # of equal values plotext draws such an axis upside down
        plot.yscale("log" if logarithmic else "linear")
        if shown:
            levels = _levels(low, high, logarithmic, max(2, self.size.height // 3))
            plot.yticks(levels, [number(level, 3) for level in levels])
        if shown and step is not None:
            plot.vline(step, color=colours[-1])
        drawn = [point.step for curve in curves for point in curve.points]
        bad = [point.step for curve in curves for point in curve.points if point.bad]
        if bad:
            first = f"batch {min(bad)}" if per == 1 else f"batches {min(bad)} to {min(bad) + per - 1}"
            title += f" (NaN or Inf in {len(bad)} of {len(drawn)} points, first in {first})"
        plot.title(title if shown else f"{title}: nothing to draw yet")
        if shown:
            plot.xlim(min(drawn), max(max(drawn), min(drawn) + 1))
            plot.xticks(_ticks(min(drawn), max(drawn), max(2, self.size.width // 14)))
        self.refresh()

    def _colours(self) -> list[str | tuple[int, int, int]]:
        """Colours of the curves, the last one for the mark of the batch."""
        palette = palette_for(self.app.current_theme)
        if palette.is_ansi:
            return ["blue", "orange", "green", "red", "magenta", "cyan", "gray"]
        styles = (
            palette.info,
            palette.accent,
            palette.good,
            palette.bad,
            palette.second,
            palette.name,
            palette.faint,
        )
        return [Color.parse(style.color.name).rgb if style.color else "default" for style in styles]


def _levels(low: float, high: float, logarithmic: bool, most: int) -> list[float]:
    """Heights at equal distances on the screen from the lowest value to the highest."""
    if low == high:
        return [low]
    shares = [i / (most - 1) for i in range(most)]
    if logarithmic:
        return [low * (high / low) ** share for share in shares]
    return [low + (high - low) * share for share in shares]


def _ticks(first: int, last: int, most: int) -> list[float]:
    """Whole batches at equal distances, at most so many."""
    every = max(1, -(-(last - first) // most))
    return [float(step) for step in range(first, last + 1, every)]
