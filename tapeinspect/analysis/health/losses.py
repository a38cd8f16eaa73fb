"""Losses that stay at chance, rise, or swing to and fro."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise
from statistics import median

from tapeinspect.analysis.health.graph import StepGraph
from tapeinspect.analysis.health.run import Kind, Run
from tapeinspect.analysis.health.words import at_step, batches, number
from tapeinspect.trace.records import Finding

_CHANCE, _RISING, _FLAT, _SWINGS = 50, 30, 100, 24
"""Batches that the rules need to see."""


def at_chance(run: Run, limit: float) -> Iterator[Finding]:
    """A classifier that is no better than guessing after many batches."""
    for kind in run.kinds:
        values = _finite(kind)
        classes = _classes(kind)
        if classes is None or len(values) < _CHANCE:
            continue
        chance = math.log(classes)
        third = len(values) // 3
        early, late = median(values[:third]), median(values[-third:])
        if late >= limit * chance and early <= 3 * chance and late <= 1.2 * chance:
            yield at_step(
                "loss-at-chance",
                "warning",
                kind.losses[-1][0],
                f"The loss is still at that of guessing after {batches(len(values))}: {number(late)} (median of the "
                f"last {third}), where {classes} equally likely classes give ln({classes}) = {number(chance)}.",
                "Check that labels belong to their inputs, that inputs are scaled, and that the gradients reach the "
                "first layers (tab Gradients); then try another learning rate.",
            )


def rising(run: Run, limit: float) -> Iterator[Finding]:
    """A loss that ends many times higher than it began."""
    for kind in run.kinds:
        values = _finite(kind)
        if len(values) < _RISING or min(values) <= 0 or len(_calls(kind)) != 1:
            continue
        third = len(values) // 3
        early, late = median(values[:third]), median(values[-third:])
        steady = sum(a < b for a, b in pairwise(_thinned(values))) >= 0.6 * (len(_thinned(values)) - 1)
        bound = 1.5 if _classes(kind) is not None else limit
        if late > bound * early and late > bound * values[0] and steady:
            yield at_step(
                "loss-rising",
                "warning",
                kind.losses[-1][0],
                f"The loss rises: {number(early)} in the first third of {batches(len(values))}, {number(late)} in the "
                "last (medians).",
                "Lower the learning rate. Check the sign of the loss and that gradients are subtracted, not added.",
            )


def flat(run: Run, limit: float) -> Iterator[Finding]:
    """A loss that is where it was, many batches later."""
    for kind in run.kinds:
        values = _finite(kind)
        if len(values) < _FLAT or min(values) <= 0 or len(_calls(kind)) != 1:
            continue
        third = len(values) // 3
        early, late = median(values[:third]), median(values[-third:])
        if abs(late - early) <= limit * early and max(values[:third]) <= 1.5 * early:
            yield at_step(
                "loss-flat",
                "info",
                kind.losses[-1][0],
                f"The loss does not fall: {number(early)} in the first third of {batches(len(values))}, {number(late)} "
                "in the last (medians).",
                "Normal for a model that has been trained before; otherwise try a higher learning rate, and see in "
                "tab Gradients whether every layer gets a gradient and an update.",
            )


def oscillating(run: Run, limit: float) -> Iterator[Finding]:
    """A loss that goes up and down in turns, by a great part of itself, with large updates."""
    for kind in run.kinds:
        values = _finite(kind)[-4 * _SWINGS :]
        if len(values) < _SWINGS or min(values) <= 0 or len(_calls(kind)) != 1:
            continue
        signs = [b - a for a, b in pairwise(values)]
        turns = sum(a * b < 0 for a, b in pairwise(signs)) / (len(signs) - 1)
        half = len(values) // 2
        swing = median(abs(sign) for sign in signs) / median(values)
        falls = median(values[half:]) < 0.9 * median(values[:half])
        updates = [
            point.state.update_ratio
            for series in kind.series
            for point in series.points
            if point.state is not None and point.state.update_ratio
        ]
        if turns >= limit and swing >= 0.3 and not falls and updates and median(updates) > 0.05:
            yield at_step(
                "loss-oscillating",
                "warning",
                kind.losses[-1][0],
                f"The loss swings: it changes direction in {100 * turns:.0f} % of the last {batches(len(values))}, by "
                f"{100 * swing:.0f} % of itself each time, and does not fall; a batch changes the weights by "
                f"{number(median(updates))} of their size (medians).",
                "Lower the learning rate: each update goes beyond the minimum and the next one comes back.",
            )


def _finite(kind: Kind) -> list[float]:
    values = [loss for _, loss in kind.losses]
    return values if all(math.isfinite(value) for value in values) else []


def _thinned(values: list[float]) -> list[float]:
    """Medians of ten pieces of equal length."""
    size = max(1, len(values) // 10)
    return [median(values[start : start + size]) for start in range(0, size * (len(values) // size), size)]


def _calls(kind: Kind) -> set[tuple[str | None, int | None]]:
    """The places that ask for gradients: with several, each has a loss of its own."""
    return {
        (call.path, call.line) for graph in kind.graphs for call in kind.reader.gradient_calls(graph.step.id)
    }


def _classes(kind: Kind) -> int | None:
    """How many classes the loss of a classifier tells apart; None when it is no cross-entropy, or one of several."""
    found: set[int | None] = {_classes_of(graph) for graph in kind.graphs}
    return found.pop() if len(found) == 1 else None


def _classes_of(graph: StepGraph) -> int | None:
    types = ("SparseSoftmaxCrossEntropyWithLogits", "SoftmaxCrossEntropyWithLogits")
    losses = [edge for edge in graph.of_type(*types) if edge.op in graph.toward]
    if len(losses) != 1 or len(graph.calls) != 1:
        return None
    shape = graph.shape(losses[0].inputs[0])
    return shape[-1] if shape and len(shape) == 2 and shape[-1] > 1 else None
