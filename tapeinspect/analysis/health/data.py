"""What the model is fed, and in which mode its layers run."""

from __future__ import annotations

import math
from collections.abc import Iterator

from tapeinspect.analysis.health.graph import ADDS, PRODUCTS, VARIABLE, StepGraph
from tapeinspect.analysis.health.run import Run
from tapeinspect.analysis.health.words import batches, layer_name, names, number
from tapeinspect.trace.records import Edge, Finding, Sample


def unscaled_inputs(run: Run, limit: float) -> Iterator[Finding]:
    """Data that goes into the first weights in the range it was measured in."""
    for kind in run.kinds:
        for graph in kind.sampled[:1]:
            for edge in graph.of_type(*PRODUCTS):
                sample = graph.figures.get(edge.inputs[0])
                if sample is None or sample.min is None or sample.max is None or sample.spec.shape is None:
                    continue
                weights = [handle for handle in graph.weights(edge) if handle in graph.sources]
                if not weights or graph.has(edge.inputs[0], VARIABLE) or _normalized(graph, edge):
                    continue
                pixels = sample.min >= 0 and 200 <= sample.max <= 255 and math.prod(sample.spec.shape) > 64
                if not pixels and max(-sample.min, sample.max) <= limit:
                    continue
                yield graph.finding(
                    "unscaled-inputs",
                    "warning",
                    edge,
                    f"The inputs of {layer_name(graph.handles[weights[0]])} go from {number(sample.min)} to "
                    f"{number(sample.max)}: the first layer saturates, or learns in far larger steps than the rest.",
                    "Divide pixels by 255, or subtract the mean and divide by the standard deviation "
                    "(tf.keras.layers.Rescaling, Normalization).",
                )


def _normalized(graph: StepGraph, edge: Edge) -> bool:
    """Whether what a layer gives is normalized at once, which takes the scale of its input out."""
    waiting = [edge.outputs[0]]
    for _ in range(2):
        users = [user for tensor in waiting for user in graph.users.get(tensor, ())]
        if any(
            user.type.startswith("FusedBatchNorm")
            or graph.inside(user, "moments", "BatchNormalization", "LayerNormalization")
            for user in users
        ):
            return True
        waiting = [user.outputs[0] for user in users if user.type in ADDS]
    return False


def batch_norm_not_training(run: Run, limit: float) -> Iterator[Finding]:
    """Batch normalization that is trained with the mean 0 and the variance 1 that it was made with."""
    for kind in run.kinds:
        graphs = kind.sampled
        if not graphs or len(kind.steps) < limit:
            continue
        found = [dict(_untrained(graph)) for graph in (graphs[0], graphs[-1])]
        handles = sorted(set(found[0]) & set(found[1]))
        if not handles:
            continue
        graph, edge = graphs[-1], found[1][handles[0]]
        layers = names([layer_name(graph.handles[handle]) for handle in handles])
        one = len(handles) == 1
        count = batches(len(kind.steps))
        yield graph.finding(
            "training-flag",
            "error",
            edge,
            f"{layers} {'runs' if one else 'run'} as for inference while {'its' if one else 'their'} weights are "
            f"trained: the data is normalized with the moving mean 0 and variance 1 that the layer was made with, "
            f"after {count} still, not with the mean and variance of the batch.",
            "Call the model with training=True inside the tape.",
        )


def _untrained(graph: StepGraph) -> Iterator[tuple[int, Edge]]:
    """Batch normalizations with moving figures as they were made, by the handle of a weight that is trained."""
    for edge in graph.of_type("FusedBatchNormV3"):
        mean, variance = graph.samples.get((edge.op, -4)), graph.samples.get((edge.op, -5))
        fresh = _is(mean, 0.0, 0.0) and _is(variance, 1.0, 1.0)
        handle = next((handle for handle in graph.weights(edge) if handle in graph.sources), None)
        if fresh and handle is not None and not _training(graph, edge):
            yield handle, edge
    for edge in graph.of_type("Rsqrt"):
        sample = graph.samples.get((edge.op, 0))
        if not _is(sample, 0.99, 1.0) or sample is None or sample.min != sample.max:
            continue
        if not graph.inside(edge, "batch_normalization") or graph.has(edge.outputs[0], VARIABLE):
            continue
        handle = _scaled_by(graph, edge)
        if handle is not None and (sample.spec.shape or (1,)) != (1,):
            yield handle, edge


def _training(graph: StepGraph, edge: Edge) -> bool:
    return bool(graph.reader.op(edge.op).attrs.get("is_training"))


def _is(sample: Sample | None, low: float, high: float) -> bool:
    if sample is None or sample.min is None or sample.max is None:
        return False
    return low <= sample.min and sample.max <= high


def _scaled_by(graph: StepGraph, edge: Edge) -> int | None:
    for user in graph.users.get(edge.outputs[0], ()):
        for handle in graph.weights(user):
            if handle in graph.sources:
                return handle
    return None


def dropout_off(run: Run, limit: float) -> Iterator[Finding]:
    """Dropout that does nothing, since the model is called without saying that it is being trained."""
    for kind in run.kinds:
        graphs = kind.sampled
        if not graphs:
            continue
        graph = graphs[-1]
        for idle in run.reader.idle_dropouts(graph.step.id):
            edge = next((edge for edge in graph.forward if edge.op == idle.op), None)
            if edge is None or graph.sources.keys().isdisjoint(idle.handles) or edge.op not in graph.toward:
                continue
            one = len(idle.layers) == 1
            yield graph.finding(
                "dropout-off",
                "warning",
                edge,
                f"{names(idle.layers)} {'does' if one else 'do'} nothing: {idle.model} is called without training=True "
                f"while it is trained (rate {number(idle.rate)}{'' if one else ' at most'}).",
                "Call the model with training=True inside the tape; with training=False if dropout is to be off.",
            )


def dropout_rate(run: Run, limit: float) -> Iterator[Finding]:
    """Dropout that takes most of its input away."""
    for kind in run.kinds:
        for graph in kind.sampled[:1]:
            for edge in graph.of_type("GreaterEqual"):
                rate = graph.samples.get((edge.op, -2))
                if rate is None or rate.max is None or rate.spec.shape or not limit < rate.max < 1:
                    continue
                if graph.inside(edge, "dropout", "dropout_v2", "stateless_dropout", "_dropout"):
                    yield graph.finding(
                        "dropout-rate",
                        "info",
                        edge,
                        f"The dropout takes {100 * rate.max:.0f} % of its input away; 20 to 50 % are usual.",
                        "A rule of thumb: try a lower rate.",
                    )
