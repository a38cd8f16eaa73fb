"""Mistakes in what is computed from what: broadcast shapes, forgotten variables, losses without data, open tapes."""

from __future__ import annotations

import math
from collections.abc import Iterator

from tapeinspect.analysis.differentiable import assigns
from tapeinspect.analysis.health.graph import ADDS, DATA, PRODUCTS, VARIABLE, StepGraph
from tapeinspect.analysis.health.run import Run
from tapeinspect.analysis.health.words import many, names
from tapeinspect.trace.records import Edge, Finding, Tape

_PAIRING = frozenset({"Sub", "SquaredDifference", "Mul", "AddV2", "RealDiv"})


def broadcast(run: Run, limit: float) -> Iterator[Finding]:
    """Predictions and labels of shapes (n, 1) and (n,), which pair each prediction with every label."""
    for kind in run.kinds:
        told: set[tuple[str | None, int | None]] = set()
        for graph in kind.graphs[:1]:
            for edge in graph.of_type(*_PAIRING):
                finding = _broadcasts(graph, edge) if len(edge.inputs) == 2 else None
                if finding is not None and (finding.path, finding.line) not in told:
                    told.add((finding.path, finding.line))
                    yield finding


def _broadcasts(graph: StepGraph, edge: Edge) -> Finding | None:
    made = graph.shape(edge.outputs[0]) if edge.outputs else None
    if made is None or len(made) != 2 or made[0] != made[1] or made[0] < 2 or edge.op not in graph.toward:
        return None
    count = made[0]
    shapes = [graph.shape(tensor) for tensor in edge.inputs]
    if sorted(shapes, key=lambda shape: len(shape or ())) != [(count,), (count, 1)]:
        return None
    predicted = [_predicts(graph, tensor, count) for tensor in edge.inputs]
    labels = [not graph.has(tensor, VARIABLE) and graph.has(tensor, DATA) for tensor in edge.inputs]
    if not ((predicted[0] and labels[1]) or (predicted[1] and labels[0])):
        return None
    prediction = shapes[0] if predicted[0] else shapes[1]
    label = shapes[1] if predicted[0] else shapes[0]
    assert prediction is not None and label is not None
    squeeze = "the predictions: tf.squeeze(predictions, -1)" if len(prediction) == 2 else "the labels"
    return graph.finding(
        "broadcast-labels",
        "error",
        edge,
        f"{edge.type} of predictions {_shape(prediction)} and labels {_shape(label)} gives {_shape(made)}: every "
        "prediction is compared with every label, and the model learns their mean.",
        f"Bring both to one shape before: squeeze {squeeze}, or add the axis to the other: labels[:, tf.newaxis].",
    )


def _shape(shape: tuple[int, ...]) -> str:
    return f"({', '.join(map(str, shape))}{',' if len(shape) == 1 else ''})"


def _predicts(graph: StepGraph, tensor: int, count: int) -> bool:
    """Whether a tensor of `count` rows was computed from variables and from a batch of `count` examples."""
    if not (graph.has(tensor, VARIABLE) and graph.has(tensor, DATA)):
        return False
    for edge in graph.above([tensor]):
        if edge.type == "ReadVariableOp" or not edge.outputs:
            continue
        shape = graph.shape(edge.outputs[0])
        if shape and len(shape) >= 2 and shape[0] == count and graph.has(edge.outputs[0], DATA):
            return True
    return False


def missing_variables(run: Run, limit: float) -> Iterator[Finding]:
    """Biases or weights that the loss is computed with, left out of a list that has the other half of their layer."""
    for kind in run.kinds:
        graphs = [graph for graph in kind.graphs if graph.calls]
        if not graphs or any(call.method != "gradient" for call in graphs[-1].calls):
            continue
        asked = {series.variable.handle for series in kind.series}
        asked |= {handle for graph in graphs for handle in graph.sources}
        watched = {item.handle: item for item in kind.reader.watched()}
        graph = graphs[-1]
        pairs = _pairs(graph)
        halves = [(weight, bias) for weight, bias in pairs if (weight in asked) != (bias in asked)]
        if all(weight not in asked for weight, _ in pairs):
            continue  # only biases are trained, on purpose
        missing = {bias if weight in asked else weight for weight, bias in halves}
        missing = {handle for handle in missing if handle in watched and watched[handle].trainable}
        missing -= _assigned(run, missing)
        if missing and len(missing) <= limit * len(asked):
            partners = {h for pair in halves for h in pair if h in asked and not missing.isdisjoint(pair)}
            call = graph.calls[-1]
            others = names(sorted(graph.handles[handle] for handle in partners))
            left_out = names(sorted(watched[handle].name for handle in missing))
            yield Finding(
                "missing-variable",
                "warning",
                graph.step.id,
                None,
                call.path,
                call.line,
                f"The loss is computed with {left_out}, but no gradient is asked of "
                f"{'it' if len(missing) == 1 else 'them'}, unlike of {others} of the same layer.",
                "Add it to the list given to tape.gradient, or make it with trainable=False if it is to stay as it is.",
            )


def _pairs(graph: StepGraph) -> list[tuple[int, int]]:
    """The weights and the bias of each layer on the way to the loss, as handles."""
    found: list[tuple[int, int]] = []
    for edge in graph.of_type(*ADDS):
        if edge.op not in graph.toward or len(edge.inputs) != 2:
            continue
        for this, other in (edge.inputs, edge.inputs[::-1]):
            bias, product = graph.variable(this), graph.origin(other)
            if bias is None or product is None or product.type not in PRODUCTS:
                continue
            weights = graph.weights(product)
            if len(weights) == 1 and (weights[0], bias) not in found:
                found.append((weights[0], bias))
    return found


def _assigned(run: Run, handles: set[int]) -> set[int]:
    """Which variables something assigns to, in the steps that are looked into."""
    return {
        edge.inputs[0]
        for kind in run.kinds
        for graph in kind.graphs
        for edge in graph.edges
        if edge.inputs and edge.inputs[0] in handles and assigns(edge.type)
    }


def ignores_batch(run: Run, limit: float) -> Iterator[Finding]:
    """A loss that nothing of the batch went into, though the step got one."""
    for kind in run.kinds:
        graphs = kind.sampled
        if not graphs:
            continue
        graph = graphs[-1]
        given = [
            arg
            for arg in graph.step.args
            if arg.kind in ("tensor", "array")
            and arg.spec is not None
            and arg.spec.shape
            and math.prod(arg.spec.shape) > 8
        ]
        if not given or not graph.targets or len(graph.calls) != 1:
            continue
        if any(graph.has(tensor, DATA) for tensor in graph.targets):
            continue
        if not any(graph.has(tensor, VARIABLE) for tensor in graph.targets):
            continue
        call = graph.calls[0]
        yield Finding(
            "loss-ignores-batch",
            "warning",
            graph.step.id,
            None,
            call.path,
            call.line,
            f"The target of this gradient depends on variables only: nothing of "
            f"{names([arg.name for arg in given])}, which {graph.step.function} was called with, goes into it.",
            "Compute the loss from the model's output for this batch.",
        )


def tape_across_batches(run: Run, limit: float) -> Iterator[Finding]:
    """One tape that stays open while variables are updated again and again from it."""
    reader = run.reader
    calls: dict[tuple[int, int], list[int]] = {}
    places: dict[tuple[int, int], tuple[str | None, int | None, int | None]] = {}
    for step in _few(run):
        for call in reader.gradient_calls(step):
            if call.method == "gradient" and call.first_op is not None:
                calls.setdefault((call.tape, call.stack), []).append(call.first_op)
                places[call.tape, call.stack] = (call.path, call.line, call.step)
    tapes: dict[int, Tape] = {}
    for (tape, stack), firsts in calls.items():
        if len(firsts) < limit:
            continue
        if not tapes:
            tapes = {each.id: each for each in reader.tapes(None)}
        opened = tapes.get(tape)
        if opened is None or not opened.persistent:
            continue
        path, line, batch = places[tape, stack]
        closed = next((event.op for event in reversed(opened.events) if event.event == "exit"), None)
        stopped = _stopped(opened)
        inside = [
            first
            for first in firsts
            if (closed is None or first <= closed) and not any(a < first <= b for a, b in stopped)
        ]
        if len(inside) < limit or not _updates(run, inside[0], inside[1]):
            continue
        yield Finding(
            "tape-across-batches",
            "warning",
            batch,
            None,
            opened.path or path,
            opened.line or line,
            f"This tape stays open while {many(len(inside), 'gradient')} are taken from it and variables are updated "
            "in between: it records every batch and every update, and memory grows until it closes.",
            "Open the tape inside the loop, around the forward pass of one batch, and call tape.gradient behind its "
            "with block.",
        )


def _stopped(tape: Tape) -> list[tuple[int, float]]:
    """The ops between which the tape does not record, though its `with` block is open."""
    spans: list[tuple[int, float]] = []
    begun: int | None = None
    for event in tape.events:
        if event.event == "stop_recording":
            begun = event.op
        elif event.event == "resume" and begun is not None:
            spans.append((begun, event.op))
            begun = None
    return spans if begun is None else [*spans, (begun, math.inf)]


def _few(run: Run) -> list[int]:
    """Steps that take several gradients; a tape belongs to one step, so nothing is missed between them."""
    return [step.id for kind in run.kinds for step in kind.chosen]


def _updates(run: Run, first: int, last: int) -> bool:
    edges = run.reader.edges(first, min(last, first + 200_000))
    return any(assigns(edge.type) for edge in edges)
