"""What the rules look at: a recording, thinned out so that a long one takes no longer than a short one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from tapeinspect.analysis.health.graph import StepGraph
from tapeinspect.trace.reader import TraceReader
from tapeinspect.trace.records import Gradient, GradientCall, Step, Variable, VariableStep

_CHOSEN: Final = 48
"""Steps of one kind whose gradients are looked at."""
_LOOKED_INTO: Final = 4
"""Steps of one kind whose ops are looked at."""
_MOST_OPS: Final = 200_000
"""Ops of a step that is still looked into."""


@dataclass(frozen=True, slots=True)
class Point:
    """A variable in one step: its gradients there and its own figures."""

    step: int
    gradients: tuple[Gradient, ...]
    state: VariableStep | None


@dataclass(frozen=True, slots=True)
class Series:
    """A variable over the chosen steps that asked for its gradient, in order."""

    variable: Variable
    points: tuple[Point, ...]
    call: GradientCall | None
    """The last call that asked for it."""


class Kind:
    """The steps that one piece of code makes."""

    def __init__(self, reader: TraceReader, steps: Sequence[Step], sampled: Sequence[int]) -> None:
        self.reader = reader
        self.steps = steps
        """All that have ended."""
        self._sampled = [step for step in steps if step.id in set(sampled)]

    @cached_property
    def chosen(self) -> list[Step]:
        """Steps spread evenly over the run, the first and the last among them."""
        return _spread(self.steps, _CHOSEN)

    @cached_property
    def graphs(self) -> list[StepGraph]:
        """A few steps whose ops are looked at, in order: those with samples when there are any."""
        steps = _spread(self._sampled or self.steps, _LOOKED_INTO)
        return [StepGraph(self.reader, step) for step in steps if step.ops <= _MOST_OPS]

    @cached_property
    def sampled(self) -> list[StepGraph]:
        """Those of `graphs` that have samples."""
        known = {step.id for step in self._sampled}
        return [graph for graph in self.graphs if graph.step.id in known]

    @cached_property
    def series(self) -> list[Series]:
        """The variables whose gradients the chosen steps asked for, in the order they were first asked in."""
        points: dict[int, list[Point]] = {}
        variables: dict[int, Variable] = {}
        last_call: dict[int, int] = {}
        for step in self.chosen:
            states = self.reader.variable_steps(step.id)
            found: dict[int, list[Gradient]] = {}
            for gradient in self.reader.gradients(step.id):
                variables[gradient.variable.id] = gradient.variable
                last_call[gradient.variable.id] = gradient.call
                found.setdefault(gradient.variable.id, []).append(gradient)
            for variable, gradients in found.items():
                point = Point(step.id, tuple(gradients), states.get(variable))
                points.setdefault(variable, []).append(point)
        calls = {call.id: call for step in self.chosen for call in self.reader.gradient_calls(step.id)}
        return [
            Series(variable, tuple(points[key]), calls.get(last_call[key]))
            for key, variable in variables.items()
        ]

    @cached_property
    def losses(self) -> list[tuple[Step, float]]:
        """The steps that have a loss, with it."""
        return [(step, step.loss) for step in self.steps if step.loss is not None]


class Run:
    """A recording. Make a new one when it has grown."""

    def __init__(self, reader: TraceReader) -> None:
        self.reader = reader

    @cached_property
    def kinds(self) -> list[Kind]:
        """The steps, by the code that makes them."""
        groups: dict[tuple[object, ...], list[Step]] = {}
        for step in self.reader.steps():
            if step.last_op is not None:
                groups.setdefault((step.function, step.path, step.line), []).append(step)
        sampled = self.reader.sampled_steps()
        return [Kind(self.reader, steps, sampled) for steps in groups.values()]


def _spread(steps: Sequence[Step], most: int) -> list[Step]:
    if len(steps) <= most:
        return list(steps)
    last = len(steps) - 1
    return [steps[round(index * last / (most - 1))] for index in range(most)]
