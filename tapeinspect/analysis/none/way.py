"""Reasons that lie on the way from a source to the target: where it ends, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from tapeinspect.analysis.differentiable import NO_GRADIENT, STRUCTURE, assigns, carries_gradient, reads
from tapeinspect.analysis.none.hints import hint_for, hint_for_leaving
from tapeinspect.analysis.none.leaving import Leaving, find_leaving
from tapeinspect.analysis.none.scene import Scene, Source
from tapeinspect.trace.records import Edge, PathStep, Reason

_LONGEST = 200
_CUSTOM = "Where tf.custom_gradient is used, its inner function has to return a gradient for each input."


@dataclass
class _Ways:
    """How far the value of a source gets along what gradients can come back through."""

    last: Edge
    """The last op that uses it."""
    used: list[Edge] = field(default_factory=list)
    """Ops that it reaches, in order."""
    reached: dict[int, Edge | None] = field(default_factory=dict)
    """Tensors that it reaches, with the op that made each."""
    endings: list[tuple[Edge, str, str]] = field(default_factory=list)
    """Ops on the way to the target that it does not get through, why, and the type to give advice for."""


def way_reason(scene: Scene, source: Source, through: set[int], recorded: Sequence[Edge]) -> Reason:
    """Where the way from the source to the target ends. `through`: the tensors by which ops get the source."""
    ways = _follow(scene, source, through, recorded[0])
    if not ways.reached.keys().isdisjoint(scene.call.targets):
        return _refused(scene, source, ways)
    if ways.endings:
        # Shapes and comparisons rarely are what a user meant to differentiate: name another end if there is.
        edge, why, kind = max(ways.endings, key=lambda end: (end[0].type not in STRUCTURE, end[0].op))
        return scene.reason(
            f"The way from {source.name} to the target ends{scene.at(edge)}: {why}.",
            edge,
            hint_for(kind),
            _steps(scene, ways, edge),
        )
    leaving = find_leaving(scene, ways.used)
    if leaving is not None:
        return _left(scene, source, ways, leaving)
    made = {scene.made[target].op for target in scene.call.targets if target in scene.made}
    if made and all(scene.backward(op) for op in made):
        return scene.reason(
            f"The target is a gradient that does not depend on {source.name}: its derivative is 0, which TensorFlow "
            "gives as None.",
            None,
            "Take it for 0: tape.gradient(…, unconnected_gradients=tf.UnconnectedGradients.ZERO).",
            _steps(scene, ways, ways.last),
        )
    message = f"No recorded op connects {source.name} to the target"
    return scene.reason(
        f"{message}; the last op that uses it is {ways.last.type}{scene.at(ways.last)}.",
        ways.last,
        f"Compute the target from what is made of {source.code}, or leave it out of the sources.",
        _steps(scene, ways, ways.last),
    )


def _follow(scene: Scene, source: Source, through: set[int], first: Edge) -> _Ways:
    ways = _Ways(first, reached=dict.fromkeys(through))
    integers: dict[int, Edge] = {}
    for edge in scene.edges:
        if edge.op < first.op:
            continue
        for tensor in edge.inputs:
            if tensor in integers and edge.op in scene.toward:
                made = integers[tensor]
                dtype = dict(zip(made.outputs, made.dtypes, strict=True))[tensor]
                why = f"{made.type} gives {dtype} there, which has no gradient"
                ways.endings.append((made, why, made.type))
        if ways.reached.keys().isdisjoint(edge.inputs):
            continue
        if source.is_variable and source.tensor in edge.inputs and not reads(edge.type):
            continue
        ways.last = edge
        ways.used.append(edge)
        ending = _ending(scene, edge)
        if ending is None:
            for output, dtype in zip(edge.outputs, edge.dtypes, strict=True):
                if carries_gradient(dtype):
                    ways.reached[output] = edge
                elif edge.type not in STRUCTURE:
                    integers[output] = edge
        elif edge.op in scene.toward:
            ways.endings.append((edge, ending, edge.type))
    return ways


def _ending(scene: Scene, edge: Edge) -> str | None:
    """Why no gradient comes back through an op, None when one may."""
    if edge.type in NO_GRADIENT:
        return f"{edge.type} has no gradient"
    if assigns(edge.type):
        return f"{edge.type} writes it into a variable, which no gradient passes"
    if edge.dtypes and not any(carries_gradient(dtype) for dtype in edge.dtypes):
        kinds = ", ".join(sorted(set(edge.dtypes)))
        return f"{edge.type} gives {kinds}, which has no gradient"
    if not scene.recorded(edge):
        stopped = "while its recording was stopped" if scene.paused(edge.op) else ""
        if not stopped and edge.op > scene.end:
            stopped = "after it was closed"
        return f"the tape did not record {edge.type}{' (' + stopped + ')' if stopped else ''}"
    return None


def _refused(scene: Scene, source: Source, ways: _Ways) -> Reason:
    """A whole way leads to the target: one of the gradient functions on it gave None."""
    by_op = {edge.op: edge for edge in ways.used}
    for row in scene.reader.backward_calls(scene.call.id):
        edge = by_op.get(row.op) if row.op is not None else None
        if edge is None or not any(row.incoming):
            continue
        lost = [
            tensor
            for tensor, flow in zip(edge.inputs, row.outgoing, strict=False)
            if flow is None and tensor in ways.reached
        ]
        if lost:
            own = edge.type if row.type == edge.type else f"`{row.type}`"
            return scene.reason(
                f"The way from {source.name} to the target ends{scene.at(edge)}: the gradient function of {own} "
                "gave None for it.",
                edge,
                _CUSTOM,
                _steps(scene, ways, edge),
            )
    target = next(target for target in scene.call.targets if target in ways.reached)
    maker = ways.reached[target]
    steps = _steps(scene, ways, maker) if maker is not None else ()
    return scene.reason(
        f"A gradient function on the way from the target to {source.name} gave None.",
        ways.last,
        _CUSTOM,
        steps,
    )


def _left(scene: Scene, source: Source, ways: _Ways, leaving: Leaving) -> Reason:
    where = scene.at_place(leaving.path, leaving.line)
    if leaving.entry is None:
        back = "the target is a constant made of what came of it"
    else:
        same = scene.place(leaving.entry) == (leaving.path, leaving.line)
        back = f"{leaving.entry.type}{'' if same else scene.at(leaving.entry)} takes what came of it as a constant"
    return Reason(
        f"The value of {source.name} leaves TensorFlow{where}, in `{leaving.text}`: {back}.",
        leaving.path,
        leaving.line,
        hint_for_leaving(leaving.text),
        _steps(scene, ways, leaving.last),
    )


def _steps(scene: Scene, ways: _Ways, end: Edge) -> tuple[PathStep, ...]:
    """The way from the source to an op, both included."""
    steps = [scene.step_of(end)]
    edge: Edge | None = end
    while edge is not None and len(steps) < _LONGEST:
        handed = next((tensor for tensor in edge.inputs if ways.reached.get(tensor) is not None), None)
        edge = ways.reached[handed] if handed is not None else None
        if edge is not None:
            steps.append(scene.step_of(edge, handed))
    return tuple(reversed(steps))
