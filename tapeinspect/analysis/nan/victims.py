"""What a NaN or Inf must reach to matter: the target of a gradient call, a gradient, or a variable that is trained.

Masks of -inf, a metric that divides 0 by 0 and whatever else stays beside these is nobody's trouble.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tapeinspect.analysis.differentiable import assigns
from tapeinspect.trace.reader import TraceReader
from tapeinspect.trace.records import Edge, Health, OpFilter, Step

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
    """The steps that may have a victim, in order: a mask of -inf in each batch must not cost a look at its ops."""
    steps = reader.steps()
    firsts = [step.first_op for step in steps]
    suspects = {
        bisect_right(firsts, op) - 1 for op in reader.op_ids(OpFilter(bad=True))
    } | {index for index, step in enumerate(steps) if _bad_loss(step)}  # fmt: skip
    for index in sorted(suspects):
        if index >= 0 and (_bad_loss(steps[index]) or _may_matter(reader, steps, index)):
            yield steps[index]


def _bad_loss(step: Step) -> bool:
    return step.loss is not None and not math.isfinite(step.loss)


def _may_matter(reader: TraceReader, steps: Sequence[Step], index: int) -> bool:
    """Whether a step has a bad target or gradient, or left a variable bad."""
    step = steps[index]
    if any(gradient.nan or gradient.inf for gradient in reader.gradients(step.id)):
        return True
    last = step.last_op if step.last_op is not None else reader.counts.ops
    bad = reader.bad_tensors(step.first_op, last)
    if any(target in bad for call in reader.gradient_calls(step.id) for target in call.targets):
        return True
    if index + 1 == len(steps):  # nobody read the variables after it
        return bool(bad)
    return any(figures.nan or figures.inf for figures in reader.variable_steps(steps[index + 1].id).values())


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
        if (gradient.nan or gradient.inf) and gradient.tensor in bad  # else its ops were not measured
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
