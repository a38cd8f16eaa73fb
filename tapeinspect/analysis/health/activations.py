"""Activations that no gradient passes any more: dead ReLUs, saturated sigmoids and tanhs."""

from __future__ import annotations

import math
from collections.abc import Iterator

from tapeinspect.analysis.health.graph import ADDS, PRODUCTS, VARIABLE, StepGraph
from tapeinspect.analysis.health.run import Kind, Run
from tapeinspect.analysis.health.words import layer_name, names, number, percent
from tapeinspect.trace.records import Edge, Finding, Sample

_EXAMPLES = 100
"""Outputs of a unit that are to be seen before it counts as dead."""
_BATCHES = 10
"""Batches without any gradient, one after the other to the end, after which a ReLU counts as having died."""


def dead_relus(run: Run, limit: float) -> Iterator[Finding]:
    """ReLU layers most of whose units gave nothing but zero, in every batch that was looked at, or all of late."""
    for kind in run.kinds:
        if len(kind.sampled) < 2:
            continue
        graph = kind.sampled[-1]
        for edge, sample in _trained(graph, "Relu", "Relu6"):
            units, dead, examples = sample.units, sample.dead, sample.examples
            if not units or dead is None or not examples or examples < _EXAMPLES:
                continue
            if units >= 4 and dead >= limit * units:
                yield _never_alive(graph, edge, sample)
            elif dead < units and _is_layers_own(graph, edge):
                died = _died(kind, edge)
                if died is not None:
                    yield died


def _never_alive(graph: StepGraph, edge: Edge, sample: Sample) -> Finding:
    units, dead = sample.units, sample.dead
    whole = "All" if dead == units else f"{dead} of the"
    made = graph.maker.get(edge.inputs[0])
    nothing = dead == units and made is not None and graph.rows[made.op].norm == 0
    return graph.finding(
        "dead-relu",
        "error" if dead == units else "warning",
        edge,
        f"{whole} {units} units of the ReLU{_of_layer(graph, edge)} were zero for each of {sample.examples:,} outputs "
        f"looked at{', since all that goes in is exactly 0' if nothing else ''}: no gradient passes them, and they can "
        "no longer learn.",
        "Start the weights of this layer and of the next at random values, tf.random.normal(shape, stddev=0.1) or "
        "tf.keras.initializers.GlorotUniform(), not at zero."
        if nothing
        else "Lower the learning rate, initialize the bias at 0 or above and the weights with He initialization, or "
        "use a leaky ReLU.",
    )


def _is_layers_own(graph: StepGraph, edge: Edge) -> bool:
    """Whether a ReLU takes what a layer gives, so that it is no hinge of a loss, which may well be zero for good."""
    made = graph.origin(edge.inputs[0])
    return made is not None and made.type in (*ADDS, *PRODUCTS) and bool(graph.weights(made))


def _died(kind: Kind, edge: Edge) -> Finding | None:
    """A ReLU that gave something once, and nothing since no gradient comes to its layer any more."""
    graph = kind.sampled[-1]
    handle = graph.layer(edge)
    series = next((each for each in kind.series if each.variable.handle == handle), None)
    if series is None or _zeros(graph, handle) != 1.0:
        return None
    since = None
    for point in reversed(series.points):
        if any(gradient.form != "dense" or gradient.norm != 0 for gradient in point.gradients):
            break
        since = point.step
    batches_since = sum(point.step >= (since or math.inf) for point in series.points)
    if since is None or batches_since < _BATCHES or since > graph.step.id:
        return None
    return graph.finding(
        "dead-relu",
        "error",
        edge,
        f"The ReLU{_of_layer(graph, edge)} gives nothing but zeros, and no gradient has passed it since batch {since} "
        f"({batches_since} batches looked at): it died on the way, and can no longer learn.",
        "Lower the learning rate. If it is the output of the model, leave the ReLU out, or see whether the targets "
        "are negative; elsewhere use a leaky ReLU.",
    )


def _zeros(graph: StepGraph, handle: int | None) -> float | None:
    """The share of zeros in what the ReLUs of a layer give; the least of them when there are several."""
    found = [
        sample.zeros or 0.0
        for edge, sample in _trained(graph, "Relu", "Relu6")
        if graph.layer(edge) == handle
    ]
    return min(found, default=None)


def _of_layer(graph: StepGraph, edge: Edge) -> str:
    handle = graph.layer(edge)
    return f" of {layer_name(graph.handles[handle])}" if handle is not None else ""


def saturated(run: Run, limit: float) -> Iterator[Finding]:
    """Hidden sigmoids and tanhs that are flat nearly everywhere, from the first batch on."""
    for kind in run.kinds:
        graphs = kind.sampled
        if len(graphs) < 2:
            continue
        found = [_saturated_layers(graph, limit) for graph in graphs]
        always = set(found[0]).intersection(*found[1:])
        by_line: dict[int | None, list[int]] = {}
        for handle in always:
            edge, _ = found[-1][handle]
            by_line.setdefault(graphs[-1].rows[edge.op].line, []).append(handle)
        for handles in by_line.values():
            yield _saturation(graphs, found[-1], sorted(handles))


def _saturation(
    graphs: list[StepGraph], found: dict[int, tuple[Edge, Sample]], handles: list[int]
) -> Finding:
    graph = graphs[-1]
    edge = found[handles[0]][0]
    share = min(found[handle][1].saturated or 0.0 for handle in handles)
    layers = names([layer_name(graph.handles[handle]) for handle in handles])
    flat = "|y| > 0.99" if edge.type == "Tanh" else "y < 0.01 or y > 0.99"
    taken = graph.figures.get(edge.inputs[0])
    span = f", from inputs between {number(taken.min)} and {number(taken.max)}" if _ranged(taken) else ""  # type: ignore[union-attr, arg-type]
    return graph.finding(
        "saturated-activation",
        "warning",
        edge,
        f"{percent(share)} of what the {edge.type.lower()} of {layers} gives is saturated ({flat}{span}), in each "
        f"of the {len(graphs)} batches looked at: next to no gradient passes.",
        "Scale the inputs, start with smaller weights, or normalize in front of it.",
    )


def _ranged(sample: Sample | None) -> bool:
    return sample is not None and sample.min is not None and sample.max is not None


def _saturated_layers(graph: StepGraph, limit: float) -> dict[int, tuple[Edge, Sample]]:
    found: dict[int, tuple[Edge, Sample]] = {}
    for edge, sample in _trained(graph, "Sigmoid", "Tanh"):
        if sample.saturated is None or sample.saturated < limit or not _hidden(graph, edge):
            continue
        handle = graph.layer(edge)
        if handle is not None:
            found.setdefault(handle, (edge, sample))
    return found


def _trained(graph: StepGraph, *types: str) -> Iterator[tuple[Edge, Sample]]:
    """Activations behind a layer that is being trained, on the way to the loss, with their figures."""
    for edge in graph.of_type(*types):
        sample = graph.samples.get((edge.op, 0))
        if sample is None or edge.op not in graph.toward or not graph.has(edge.outputs[0], VARIABLE):
            continue
        if graph.layer(edge) in graph.sources:
            yield edge, sample


def _hidden(graph: StepGraph, edge: Edge) -> bool:
    """Whether further trained weights come behind an activation."""
    waiting, seen = list(edge.outputs), set(edge.outputs)
    while waiting:
        for user in graph.users.get(waiting.pop(), ()):
            if user.type in PRODUCTS and any(handle in graph.sources for handle in graph.weights(user)):
                return True
            fresh = [tensor for tensor in user.outputs if tensor not in seen]
            seen.update(fresh)
            waiting += fresh
    return False
