"""Gradients that die, grow out of bounds, or never are anything but zero."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise
from statistics import median

from tapeinspect.analysis.health.graph import ADDS, PRODUCTS, StepGraph
from tapeinspect.analysis.health.run import Kind, Run, Series
from tapeinspect.analysis.health.words import at_call, batches, names, number
from tapeinspect.trace.records import Edge, Finding, Gradient

_FEWEST = 3
"""Steps that a rule about all steps needs."""
_LAYERS = 5
"""Layers from which on one speaks of a gradient that fades on its way."""


def zero(run: Run, limit: float) -> Iterator[Finding]:
    """Weights whose gradient was exactly zero in every batch."""
    for kind in run.kinds:
        found = [series for series in kind.series if _always_zero(series, kind, int(limit))]
        groups: dict[int, list[Series]] = {}
        for series in found:
            groups.setdefault(series.call.id if series.call else 0, []).append(series)
        for group in groups.values():
            biases = all(_is_vector(series) for series in group)
            first = group[0]
            verb = "is" if len(group) == 1 else "are"
            yield at_call(
                "zero-gradient",
                "info" if biases else "warning",
                first,
                first.points[0].step,
                f"The gradient{'s' if len(group) > 1 else ''} of {names([s.variable.name for s in group])} "
                f"{verb} exactly zero in all {batches(len(first.points))} looked at.",
                "A bias that cancels out of the loss has such a gradient by construction."
                if biases
                else "Nothing on the way to the loss depends on it: look for dead ReLUs, a multiplication by zero, "
                "clipping that cuts everything off, or weights that all start at zero.",
            )


def _always_zero(series: Series, kind: Kind, fewest: int) -> bool:
    points = series.points
    if len(points) < fewest or series.variable.kind != "variable":
        return False
    gradients = [gradient for point in points for gradient in point.gradients]
    return all(g.form == "dense" and g.norm == 0 for g in gradients) and points[0].step == kind.steps[0].id


def _is_vector(series: Series) -> bool:
    return series.variable.shape is not None and len(series.variable.shape) == 1


def constant(run: Run, limit: float) -> Iterator[Finding]:
    """Weights whose gradient is the same in every batch, to the last bit, though they change."""
    for kind in run.kinds:
        for series in kind.series:
            shape = series.variable.shape
            if shape is None or len(shape) < 2 or math.prod(shape) < 4 or len(series.points) < limit:
                continue
            figures = {
                (g.norm, g.min, g.max, g.mean, g.form) for point in series.points for g in point.gradients
            }
            gradient = series.points[-1].gradients[-1]
            moved = sum(bool(point.state and point.state.update_norm) for point in series.points)
            if len(figures) == 1 and gradient.norm and moved >= len(series.points) - 1:
                yield at_call(
                    "constant-gradient",
                    "warning",
                    series,
                    series.points[-1].step,
                    f"The gradient of {series.variable.name} is the same in all {batches(len(series.points))} looked "
                    f"at (norm {number(gradient.norm)}), though the variable changes.",
                    "The loss depends on it in a straight line and on nothing that changes from batch to batch: check "
                    "that the loss is computed from this batch and from the model's output.",
                )


def vanishing(run: Run, limit: float) -> Iterator[Finding]:
    """Gradients that fade from the last layer to the first."""
    for kind, layers in _deep(run):
        ratios, levels = _levels(kind, layers)
        if not ratios or median(ratios) > limit or not fades(levels):
            continue
        first, last = layers[0], layers[-1]
        yield at_call(
            "vanishing-gradient",
            "warning",
            first,
            first.points[-1].step,
            f"The gradient fades on its way back: an element of {first.variable.name} gets {number(median(ratios))} of "
            f"what one of {last.variable.name} gets, {len(layers)} layers of weights apart (RMS {number(levels[0])} "
            f"and {number(levels[-1])}, over {batches(len(ratios))}).",
            "Use ReLU-like activations with He initialization instead of sigmoid or tanh, normalization layers, or "
            "residual connections.",
        )


def _deep(run: Run) -> Iterator[tuple[Kind, list[Series]]]:
    """The weights of deep chains, in the order in which the forward pass first uses them."""
    for kind in run.kinds:
        if not kind.graphs or len(kind.series) < _LAYERS:
            continue
        graph = kind.graphs[-1]
        order = _first_use(graph)
        calls = {series.call.id: series.call for series in kind.series if series.call is not None}
        for call in calls.values():
            layers = [
                series
                for series in kind.series
                if series.call is call and series.variable.handle in order and _is_weight(series)
            ]
            layers.sort(key=lambda series: order[series.variable.handle or 0])
            if len(layers) >= _LAYERS:
                yield kind, layers


def _first_use(graph: StepGraph) -> dict[int, int]:
    order: dict[int, int] = {}
    for edge in graph.of_type(*PRODUCTS):
        for handle in graph.weights(edge):
            order.setdefault(handle, edge.op)
    return order


def _is_weight(series: Series) -> bool:
    shape = series.variable.shape
    dense = all(g.form == "dense" for point in series.points for g in point.gradients)
    return dense and shape is not None and len(shape) >= 2 and None not in shape and math.prod(shape) >= 4


def _levels(kind: Kind, layers: list[Series]) -> tuple[list[float], list[float]]:
    """First layer's RMS gradient over the last one's in each step, and each layer's median over the steps."""
    rms: list[dict[int, float]] = [_rms(series) for series in layers]
    common = set(rms[0]).intersection(*rms[1:])
    if len(common) < min(_FEWEST, len(kind.steps)):
        return [], []
    ratios = [rms[0][step] / rms[-1][step] for step in sorted(common)]
    return ratios, [median(level[step] for step in common) for level in rms]


def _rms(series: Series) -> dict[int, float]:
    size = math.prod(series.variable.shape or (1,))
    found: dict[int, float] = {}
    for point in series.points:
        norms = [gradient.norm for gradient in point.gradients if gradient.norm]
        if len(norms) == len(point.gradients) and norms:
            found[point.step] = max(norms) / math.sqrt(size)
    return found


def fades(levels: list[float]) -> bool:
    """Whether the layers' levels, first layer first, rise fairly steadily to the last.

    One jump that is most of it is no fading: the weights before it lie aside, as those of an attention's queries and
    keys do, whose gradient is small as long as it attends to everything alike.
    """
    rises = [math.log(after / before) for before, after in pairwise(levels)]
    steady = sum(rise > 0 for rise in rises) >= 0.7 * len(rises)
    return steady and max(rises) < 0.5 * sum(rises)


def exploding(run: Run, limit: float) -> Iterator[Finding]:
    """Gradients that grow without bound from batch to batch, and the loss with them."""
    for kind in run.kinds:
        norms: dict[int, float] = {}
        for series in kind.series:
            for point in series.points:
                squares = sum((g.norm or 0.0) ** 2 for g in point.gradients)
                norms[point.step] = norms.get(point.step, 0.0) + squares
        steps = [(step, math.sqrt(norms[step.id])) for step in kind.chosen if norms.get(step.id)]
        if len(steps) < 2:
            continue
        usual = min(norm for _, norm in steps[:_FEWEST])
        worst, peak = max(steps, key=lambda pair: pair[1])
        before = [step.loss for step in kind.chosen if step.id < worst.id and step.loss is not None]
        loss = worst.loss
        if peak <= limit * usual or not before or loss is None:
            continue
        if math.isfinite(loss) and abs(loss) <= 10 * max(abs(before[0]), 1e-12):
            continue
        series = max(kind.series, key=lambda series: _norm_at(series, worst.id))
        yield at_call(
            "exploding-gradient",
            "warning",
            series,
            worst.id,
            f"The gradient has grown from a norm of {number(usual)} to {number(peak)}, and the loss from "
            f"{number(before[0])} to {number(loss)}; most of it is that of {series.variable.name}.",
            "Lower the learning rate, or clip the gradients with tf.clip_by_global_norm.",
        )


def _norm_at(series: Series, step: int) -> float:
    gradients: list[Gradient] = [g for point in series.points if point.step == step for g in point.gradients]
    return max((gradient.norm or 0.0 for gradient in gradients), default=0.0)


def bias_before_normalization(run: Run, limit: float) -> Iterator[Finding]:
    """Biases that the normalization behind them takes out again."""
    for kind in run.kinds:
        if not kind.graphs:
            continue
        graph = kind.graphs[-1]
        totals: dict[int, float] = {}
        for series in kind.series:
            for point in series.points:
                squares = sum((g.norm or 0.0) ** 2 for g in point.gradients)
                totals[point.step] = totals.get(point.step, 0.0) + squares
        for series in kind.series:
            edge = _normalized(graph, series)
            norms = [(max(g.norm or 0.0 for g in p.gradients), totals[p.step]) for p in series.points]
            if edge is not None and all(norm <= limit * math.sqrt(total) for norm, total in norms):
                yield graph.finding(
                    "bias-before-normalization",
                    "info",
                    edge,
                    f"{series.variable.name} has no effect: the normalization behind it subtracts the mean again, so "
                    f"its gradient is zero up to rounding (norm {number(norms[-1][0])}).",
                    "Make the layer with use_bias=False; nothing else changes.",
                )


def _normalized(graph: StepGraph, series: Series) -> Edge | None:
    """The op that adds a bias right in front of a batch normalization."""
    if not _is_vector(series):
        return None
    for edge in graph.of_type(*ADDS):
        if series.variable.handle not in graph.weights(edge):
            continue
        for user in graph.users.get(edge.outputs[0], ()):
            training = user.type == "FusedBatchNormV3" or graph.inside(
                user, "moments", "_normalize_with_moments"
            )
            if training and not graph.inside(user, "LayerNormalization"):
                return edge
    return None
