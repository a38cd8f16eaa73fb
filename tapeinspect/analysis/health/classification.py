"""Losses given what they do not expect: probabilities for logits, logits for probabilities, labels out of range."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tapeinspect.analysis.health.graph import VARIABLE, StepGraph
from tapeinspect.analysis.health.run import Run
from tapeinspect.analysis.health.words import number
from tapeinspect.trace.records import Edge, Finding, Sample

_SOFTMAX_LOSSES = ("SparseSoftmaxCrossEntropyWithLogits", "SoftmaxCrossEntropyWithLogits")
_SIGMOID_LOSS = ("sigmoid_cross_entropy_with_logits", "sigmoid_cross_entropy_with_logits_v2")
_LABEL_ERROR = re.compile(
    r"Received a label value of (-?\d+) which is outside the valid range of \[0, (\d+)\)"
)


def _first(run: Run) -> Iterator[StepGraph]:
    """The first and the last step of each kind that are looked into: what a loss is given rarely changes."""
    for kind in run.kinds:
        graphs = kind.sampled or kind.graphs
        yield from (graphs[:1] if len(graphs) < 2 else [graphs[0], graphs[-1]])


def probabilities_as_logits(run: Run, limit: float) -> Iterator[Finding]:
    """A softmax or sigmoid in front of a loss that applies one itself."""
    for graph in _first(run):
        for edge in graph.of_type(*_SOFTMAX_LOSSES):
            made = graph.origin(edge.inputs[0])
            if edge.op in graph.toward and made is not None and made.type in ("Softmax", "Sigmoid"):
                yield _doubled(graph, made, "softmax")
        for edge in graph.of_type("GreaterEqual", "Mul"):
            made = graph.origin(edge.inputs[0]) if edge.inputs else None
            if made is not None and made.type == "Sigmoid" and graph.inside(edge, *_SIGMOID_LOSS):
                yield _doubled(graph, made, "sigmoid")


def _doubled(graph: StepGraph, made: Edge, applied: str) -> Finding:
    given = graph.figures.get(made.outputs[0])
    span = (
        "" if given is None or given.min is None else f" ({number(given.min)} to {number(given.max or 0.0)})"
    )
    return graph.finding(
        "probabilities-as-logits",
        "error",
        made,
        f"The loss applies a {applied} to what comes out of a {made.type.lower()} already: it expects logits and gets "
        f"probabilities{span}, so it can neither get near zero nor give a proper gradient.",
        f"Leave the {made.type.lower()} of the last layer out, or tell the loss from_logits=False.",
    )


def logits_as_probabilities(run: Run, limit: float) -> Iterator[Finding]:
    """Values outside of 0 to 1 that a loss clips to that range before it takes the logarithm."""
    for graph in _first(run):
        for low in graph.of_type("Minimum"):
            taken, bound = graph.samples.get((low.op, -1)), graph.samples.get((low.op, -2))
            if not _is_one(bound) or taken is None or taken.min is None or taken.max is None:
                continue
            outside = max(-taken.min, taken.max - 1.0)
            on_the_way = low.op in graph.toward and graph.has(low.inputs[0], VARIABLE)
            if outside > limit and on_the_way and _to_log(graph, low):
                yield graph.finding(
                    "logits-as-probabilities",
                    "error",
                    low,
                    f"The loss expects probabilities and gets values from {number(taken.min)} to "
                    f"{number(taken.max)}: it cuts them off at 0 and 1, where no gradient passes.",
                    "Tell the loss from_logits=True, or end the model with a softmax or sigmoid.",
                )


def _is_one(bound: Sample | None) -> bool:
    return bound is not None and bound.min == bound.max and bound.max is not None and 0.99 < bound.max <= 1


def _to_log(graph: StepGraph, low: Edge) -> bool:
    """Whether a value that was cut off above is cut off below and goes into a logarithm."""
    for high in graph.users.get(low.outputs[0], ()):
        if high.type == "Maximum" and any(
            user.type == "Log" for user in graph.users.get(high.outputs[0], ())
        ):
            return True
    return False


def softmax_of_one(run: Run, limit: float) -> Iterator[Finding]:
    """A softmax over a single class, which is always 1."""
    for graph in _first(run):
        for edge in graph.of_type("Softmax", *_SOFTMAX_LOSSES):
            shape = graph.shape(edge.inputs[0]) or graph.shape(edge.outputs[0])
            # Keras' losses may go round a softmax of Keras' own, but the model's output is 1 all the same.
            if shape is None or len(shape) != 2 or shape[1] != 1 or graph.layer(edge, most=4) is None:
                continue
            trained = edge.op in graph.toward
            yield graph.finding(
                "softmax-of-one",
                "error",
                edge,
                f"The softmax is over one value ({shape[0]}×1), so it gives 1 whatever the model says"
                + (": the gradient behind it is zero." if trained else "; the loss goes around it."),
                "For two classes with one output use a sigmoid and a binary cross-entropy; else give the last layer as "
                "many units as there are classes.",
            )


def labels_out_of_range(run: Run, limit: float) -> Iterator[Finding]:
    """Labels that are no class of the model, or no probability."""
    for failure in run.reader.errors():
        match = _LABEL_ERROR.search(failure.message)
        if match is not None:
            yield Finding(
                "labels-out-of-range", "error", failure.step, None, failure.file, failure.line,
                f"A label is {match[1]}, and the model has {match[2]} classes: 0 to {int(match[2]) - 1}.",
                _FIT,
            )  # fmt: skip
    for graph in _first(run):
        for edge in graph.of_type("SparseSoftmaxCrossEntropyWithLogits"):
            yield from _class_labels(graph, edge)
        for edge in graph.of_type("SoftmaxCrossEntropyWithLogits"):
            yield from _shares(graph, edge, graph.samples.get((edge.op, -2)), limit)
        for edge in graph.of_type("Mul"):
            if edge.op in graph.toward and graph.inside(edge, *_SIGMOID_LOSS):
                for tensor in edge.inputs:
                    if not graph.has(tensor, VARIABLE):
                        yield from _shares(graph, edge, graph.figures.get(tensor), limit)


_FIT = (
    "Give the last layer as many units as there are classes, or number the labels from 0; labels that mean “ignore” "
    "must be taken out or given the weight 0 before the loss sees them."
)


def _class_labels(graph: StepGraph, edge: Edge) -> Iterator[Finding]:
    labels, shape = graph.samples.get((edge.op, -2)), graph.shape(edge.inputs[0])
    if labels is None or labels.min is None or labels.max is None or not shape:
        return
    if labels.min < 0 or labels.max >= shape[-1]:
        yield graph.finding(
            "labels-out-of-range",
            "error",
            edge,
            f"The labels go from {number(labels.min)} to {number(labels.max)}, and the model has {shape[-1]} classes.",
            _FIT,
        )


def _shares(graph: StepGraph, edge: Edge, labels: Sample | None, limit: float) -> Iterator[Finding]:
    """Labels that should be probabilities, give or take the noise that is put on them on purpose."""
    if labels is None or labels.min is None or labels.max is None:
        return
    if labels.min < -limit or labels.max > 1 + limit:
        yield graph.finding(
            "labels-out-of-range",
            "error",
            edge,
            f"The labels go from {number(labels.min)} to {number(labels.max)}; this cross-entropy expects "
            "probabilities, 0 to 1, and has no lower bound otherwise.",
            "Scale them to 0 and 1 (of -1 and 1: (labels + 1) / 2; of pixels: divide by 255), or one-hot encode them.",
        )
