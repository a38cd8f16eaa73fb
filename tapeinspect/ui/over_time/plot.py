"""The curves of some variables, drawn by plotext."""

from __future__ import annotations

from dataclasses import dataclass

from textual.color import Color
from textual_plotext import PlotextPlot

from tapeinspect.trace.series import Point
from tapeinspect.ui.format import visible
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

    def draw(self, curves: list[Curve], title: str, logarithmic: bool, step: int | None) -> None:
        """Show these curves."""
        plot = self.plt
        plot.clear_figure()
        colours = self._colours()
        shown = 0
        for index, curve in enumerate(curves[:SERIES]):
            known = [(p.step, p.value) for p in curve.points if p.value is not None]
            if logarithmic:
                known = [(at, value) for at, value in known if value > 0]
            if not known:
                continue
            shown += 1
            steps, values = zip(*known, strict=True)
            draw = plot.scatter if curve.dotted or len(known) == 1 else plot.plot
            draw(
                steps,
                values,
                label=visible(curve.name),
                color=colours[index % len(colours)],
                marker="braille",
            )
        plot.yscale("log" if shown and logarithmic else "linear")
        if shown and step is not None:
            plot.vline(step, color=colours[-1])
        drawn = [point.step for curve in curves for point in curve.points]
        bad = [point.step for curve in curves for point in curve.points if point.bad]
        if bad:
            title += f" (NaN or Inf in {len(bad)} of {len(drawn)} points, first in batch {min(bad)})"
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


def _ticks(first: int, last: int, most: int) -> list[float]:
    """Whole batches at equal distances, at most so many."""
    every = max(1, -(-(last - first) // most))
    return [float(step) for step in range(first, last + 1, every)]
