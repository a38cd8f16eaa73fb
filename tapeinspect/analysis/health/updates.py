"""Variables that never change, or change by too much or too little at once."""

from __future__ import annotations

import math
from collections.abc import Iterator
from statistics import median

from tapeinspect.analysis.differentiable import assigns
from tapeinspect.analysis.health.run import Kind, Run, Series
from tapeinspect.analysis.health.words import at_call, batches, names, number
from tapeinspect.trace.records import Finding

_FEWEST = 5


def never_applied(run: Run, limit: float) -> Iterator[Finding]:
    """Gradients that are computed and never used: nothing assigns to any variable."""
    for kind in run.kinds:
        trained = [series for series in kind.series if series.variable.kind == "variable"]
        if len(kind.steps) < limit or not trained or _in_use(kind, trained):
            continue
        series = trained[0]
        yield at_call(
            "never-applied",
            "warning",
            series,
            kind.steps[-1].id,
            f"The gradients of {names([s.variable.name for s in trained])} are computed in all "
            f"{batches(len(kind.steps))} and no variable is changed.",
            "Give them to optimizer.apply_gradients(zip(gradients, variables)).",
        )


def _in_use(kind: Kind, trained: list[Series]) -> bool:
    """Whether something is assigned to, or may be done with the gradients behind the step."""
    if any(point.state and point.state.assigns for series in trained for point in series.points):
        return True
    graphs = kind.graphs
    first = kind.steps[0].first_op
    edges = kind.reader.edges(first, min(kind.reader.counts.ops, first + 200_000))
    return any(assigns(edge.type) for edge in edges) or not graphs or _used(kind)


def _used(kind: Kind) -> bool:
    """Whether an op takes one of the last step's gradients: they are wanted for something else than an update."""
    graph = kind.graphs[-1]
    gradients = {g.tensor for g in kind.reader.gradients(graph.step.id) if g.tensor is not None}
    last = graph.step.last_op or kind.reader.counts.ops
    calls = [call.last_op for call in graph.calls if call.last_op is not None]
    edges = kind.reader.edges(max(calls, default=graph.step.first_op) + 1, last + 1000)
    return any(not gradients.isdisjoint(edge.inputs) for edge in edges)


def never_changes(run: Run, limit: float) -> Iterator[Finding]:
    """Variables that have a gradient and are not changed, while others of the same call are."""
    for kind in run.kinds:
        groups: dict[int, list[Series]] = {}
        for series in kind.series:
            if series.call is not None and series.variable.kind == "variable":
                groups.setdefault(series.call.id, []).append(series)
        for group in groups.values():
            still = [series for series in group if _stands_still(series, int(limit))]
            moving = [series for series in group if _assigned(series)]
            if not still or not moving:
                continue
            yield at_call(
                "never-changes",
                "warning",
                still[0],
                still[0].points[-1].step,
                f"{names([s.variable.name for s in still])} {'has' if len(still) == 1 else 'have'} a gradient in all "
                f"{batches(len(still[0].points))} looked at and never change{'s' if len(still) == 1 else ''}, while "
                f"{names([s.variable.name for s in moving], 2)} {'is' if len(moving) == 1 else 'are'} updated.",
                "Give the optimizer the same variables that the gradients were asked for, or leave those out that are "
                "meant to stay as they are.",
            )


def _has_gradient(series: Series, fewest: int) -> bool:
    flowing = [p for p in series.points if any(g.norm for g in p.gradients)]
    return len(series.points) >= fewest and len(flowing) == len(series.points)


def _assigned(series: Series) -> bool:
    return any(point.state is not None and point.state.assigns for point in series.points)


def _stands_still(series: Series, fewest: int) -> bool:
    return _has_gradient(series, fewest) and not _assigned(series)


def lost(run: Run, limit: float) -> Iterator[Finding]:
    """Variables that are assigned to in each batch and stay the same."""
    for kind in run.kinds:
        found = [series for series in kind.series if _loses(series, int(limit))]
        if not found:
            continue
        series = found[0]
        half = [s for s in found if s.variable.dtype in ("float16", "bfloat16")]
        state = series.points[-1].state
        yield at_call(
            "lost-update",
            "warning",
            series,
            series.points[-1].step,
            f"The updates of {names([s.variable.name for s in found])} change nothing in all "
            f"{batches(len(series.points))} looked at"
            + (f" (norm of the variable {number(state.norm)})." if state is not None and state.norm else "."),
            f"A {half[0].variable.dtype} rounds small updates away: keep the variables in float32."
            if half
            else "The learning rate is 0, or so small that the update is lost to rounding.",
        )


def _loses(series: Series, fewest: int) -> bool:
    if not _has_gradient(series, fewest):
        return False
    states = [point.state for point in series.points if point.state is not None]
    updates = [state.update_norm for state in states if state.assigns and state.update_norm is not None]
    return len(updates) >= fewest and not any(updates)


def too_large(run: Run, limit: float) -> Iterator[Finding]:
    """Updates as large as the weights themselves."""
    yield from _ratio(run, limit, True)


def too_small(run: Run, limit: float) -> Iterator[Finding]:
    """Updates that are next to nothing beside the weights."""
    yield from _ratio(run, limit, False)


def outside_of_band(run: Run, limit: float) -> Iterator[Finding]:
    """Updates that are far from a thousandth of the weights, as a rule of thumb has it."""
    for kind in run.kinds:
        for series in kind.series:
            ratios = _ratios(series)
            if len(ratios) >= _FEWEST and not 1e-3 / limit <= median(ratios) <= 1e-3 * limit:
                yield at_call(
                    "update-ratio",
                    "info",
                    series,
                    series.points[-1].step,
                    f"A batch changes {series.variable.name} by {number(median(ratios))} of its size (median of "
                    f"{batches(len(ratios))}); about 0.001 is usual.",
                    "A rule of thumb: try another learning rate.",
                )


def learning_rate(run: Run, limit: float) -> Iterator[Finding]:
    """A learning rate beyond what is usual."""
    for kind in run.kinds:
        for graph in kind.graphs[-1:]:
            reads = (edge for edge in graph.edges if edge.type in ("ReadVariableOp", "Cast"))
            for edge in reads:
                rate = graph.rows[edge.op].norm
                scalar = graph.shape(edge.outputs[0]) == ()
                if not scalar or rate is None or rate <= limit:
                    continue
                if graph.inside(edge, "_get_current_learning_rate"):
                    yield graph.finding(
                        "learning-rate",
                        "info",
                        edge,
                        f"The learning rate is {number(rate)}; 0.001 to 0.01 are usual.",
                        "A rule of thumb: try a lower one.",
                    )
                    break


def _ratio(run: Run, limit: float, large: bool) -> Iterator[Finding]:
    for kind in run.kinds:
        found: list[tuple[Series, float]] = []
        for series in kind.series:
            ratios = _ratios(series)
            late = ratios[len(ratios) // 2 :]
            if len(ratios) < _FEWEST:
                continue
            if large and median(late) > limit and median(ratios) > limit:
                found.append((series, median(late)))
            elif not large and max(ratios) < limit and any(ratios):
                found.append((series, max(ratios)))
        if not found:
            continue
        series, ratio = max(found, key=lambda pair: pair[1])
        all_names = names([s.variable.name for s, _ in found])
        message = (
            f"A batch changes {all_names} by {number(ratio)} of the weights' own size (median of the last "
            f"{batches(len(series.points) - len(series.points) // 2)} looked at): what was learnt before is lost."
            if large
            else f"No batch changes {all_names} by more than {number(ratio)} of the weights' own size."
        )
        yield at_call(
            "large-update" if large else "small-update",
            "warning",
            series,
            series.points[-1].step,
            message,
            "Lower the learning rate, or clip the gradients."
            if large
            else "Raise the learning rate; a float32 cannot even hold changes below 1e-7 of itself.",
        )


def _ratios(series: Series) -> list[float]:
    """Update over weights in each step, of variables large enough for it to mean something; zeros left out."""
    shape = series.variable.shape
    if shape is None or len(shape) < 2 or math.prod(shape) < 16:
        return []
    found = []
    for point in series.points:
        state = point.state
        if state is None or state.update_ratio is None or state.norm is None or not state.update_norm:
            continue
        if state.norm / math.sqrt(math.prod(shape)) > 1e-6:
            found.append(state.update_ratio)
    return found
