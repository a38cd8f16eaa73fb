"""What a NaN or Inf must reach to matter: the target of a gradient call, a gradient, or a variable that is trained.

Masks of -inf, a metric that divides 0 by 0 and whatever else stays beside these is nobody's trouble.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tapeinspect.analysis.differentiable import assigns
from tapeinspect.trace.reader import TraceReader
from tapeinspect.trace.records import Edge, Health, Step

_CHECKS = frozenset({"IsFinite", "IsNan", "IsInf", "CheckNumerics", "CheckNumericsV2"})


@dataclass(frozen=True, slots=True)
class Victim:
    """Something that matters and has gone bad in a step."""

    what: str
    """ "the loss", "the gradient of w", "w"."""
    tensors: tuple[int, ...]
    """Tensors with NaN or Inf that it consists of."""
    op: int
    """The op up to which to look."""
    edge: Edge | None = None
    """The op that makes it bad, where that has no output: an assignment."""


def bad_steps(reader: TraceReader) -> Iterator[Step]:
    """The steps that may have a victim, in order."""
    for step in reader.steps():
        if step.loss is not None and not math.isfinite(step.loss):
            yield step
            continue
        last = step.last_op if step.last_op is not None else reader.counts.ops
        if any(g.nan or g.inf for g in reader.gradients(step.id)) or reader.bad_tensors(step.first_op, last):
            yield step


def victims_of(
    reader: TraceReader, step: Step, edges: Sequence[Edge], bad: dict[int, Health]
) -> list[Victim]:
    """The victims of a step, the earliest first: targets, then gradients, then variables."""
    return [*_targets(reader, step, edges, bad), *_gradients(reader, step, edges, bad)] or _variables(
        reader, step, edges, bad
    )


def _targets(
    reader: TraceReader, step: Step, edges: Sequence[Edge], bad: dict[int, Health]
) -> Iterator[Victim]:
    made = {tensor: edge.op for edge in edges for tensor in edge.outputs}
    for call in reader.gradient_calls(step.id):
        for target in call.targets:
            if target in bad:
                yield Victim("the loss", (target,), made.get(target, step.first_op))


def _gradients(
    reader: TraceReader, step: Step, edges: Sequence[Edge], bad: dict[int, Health]
) -> Iterator[Victim]:
    hurt = [
        gradient
        for gradient in reader.gradients(step.id)
        if (gradient.nan or gradient.inf) and gradient.tensor is not None
    ]
    if not hurt:
        return
    tensors = {gradient.tensor for gradient in hurt}
    checked = any(edge.type in _CHECKS and not tensors.isdisjoint(edge.inputs) for edge in edges)
    if checked and not _variables(reader, step, edges, bad):
        return  # loss scaling: the step is left out when a gradient overflows, as it is meant to be
    last = {call.id: call.last_op for call in reader.gradient_calls(step.id)}
    for gradient in hurt:
        assert gradient.tensor is not None
        op = last.get(gradient.call) or step.first_op
        yield Victim(f"the gradient of {gradient.variable.name}", (gradient.tensor,), op)


def _variables(
    reader: TraceReader, step: Step, edges: Sequence[Edge], bad: dict[int, Health]
) -> list[Victim]:
    trained = {variable.handle: variable.name for variable in reader.variables() if variable.handle}
    found = []
    for edge in edges:
        if edge.step != step.id or not assigns(edge.type) or not edge.inputs or edge.inputs[0] not in trained:
            continue
        tensors = tuple(tensor for tensor in edge.inputs[1:] if tensor in bad)
        if tensors:
            found.append(Victim(trained[edge.inputs[0]], tensors, edge.op, edge))
    return found
