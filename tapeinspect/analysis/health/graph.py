"""The ops of one step as a graph: what a tensor is made from, and what it goes into."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Final

from tapeinspect.analysis.differentiable import reads
from tapeinspect.trace.reader import TraceReader
from tapeinspect.trace.records import (
    Edge,
    Finding,
    Frame,
    GradientCall,
    OpRow,
    Sample,
    Severity,
    Step,
    Variable,
)

VARIABLE: Final = 1
"""A trained variable is in it."""
DATA: Final = 2
"""Something that may differ from batch to batch is in it: data, labels, random numbers."""

PASSES_ON: Final = frozenset({"Identity", "Reshape", "Cast", "Squeeze", "ExpandDims", "EnsureShape"})
"""Op types that hand the values of their first input on."""
PRODUCTS: Final = frozenset(
    {"MatMul", "BatchMatMulV2", "Conv2D", "Conv1D", "Conv3D", "DepthwiseConv2dNative", "Einsum"}
)
"""Op types that weights are used by."""
ADDS: Final = frozenset({"BiasAdd", "AddV2", "Add"})
_SHAPE_WORDS: Final = 8
"""A vector of at most so many int32 is taken for a shape or a list of axes, not for data."""


class StepGraph:
    """One step of a recording. Everything is worked out when it is first asked for."""

    def __init__(self, reader: TraceReader, step: Step) -> None:
        self.reader = reader
        self.step = step

    @cached_property
    def edges(self) -> list[Edge]:
        """The ops of the step, in order."""
        last = self.step.last_op or self.reader.counts.ops
        return [edge for edge in self.reader.edges(self.step.first_op, last) if edge.step == self.step.id]

    @cached_property
    def rows(self) -> dict[int, OpRow]:
        """Their digests."""
        return {row.id: row for row in self.reader.rows([edge.op for edge in self.edges])}

    @cached_property
    def maker(self) -> dict[int, Edge]:
        """The op that made a tensor."""
        return {tensor: edge for edge in self.edges for tensor in edge.outputs}

    @cached_property
    def forward(self) -> list[Edge]:
        """The ops that did not run on the way back."""
        return [edge for edge in self.edges if not self.rows[edge.op].backward]

    @cached_property
    def users(self) -> dict[int, list[Edge]]:
        """The ops of the forward pass that took a tensor."""
        found: dict[int, list[Edge]] = {}
        for edge in self.forward:
            for tensor in set(edge.inputs):
                found.setdefault(tensor, []).append(edge)
        return found

    @cached_property
    def samples(self) -> dict[tuple[int, int], Sample]:
        """Figures by op and place."""
        return {(sample.op, sample.place): sample for sample in self.reader.samples(self.step.id)}

    @cached_property
    def figures(self) -> dict[int, Sample]:
        """Figures by tensor."""
        return {sample.tensor: sample for sample in self.reader.samples(self.step.id)}

    @cached_property
    def handles(self) -> dict[int, str]:
        """Names of variables, by handle."""
        names = {watched.handle: watched.name for watched in self.reader.watched()}
        for variable in self.reader.variables():
            if variable.handle is not None:
                names[variable.handle] = variable.name
        return names

    @cached_property
    def calls(self) -> list[GradientCall]:
        """The gradient calls of the step."""
        return [call for call in self.reader.gradient_calls(self.step.id) if call.error is None]

    @cached_property
    def sources(self) -> dict[int, Variable]:
        """The variables that the step asks gradients of, by handle."""
        found = (gradient.variable for gradient in self.reader.gradients(self.step.id))
        return {variable.handle: variable for variable in found if variable.handle is not None}

    @cached_property
    def targets(self) -> tuple[int, ...]:
        """The tensors that gradients are taken of."""
        return tuple(tensor for call in self.calls for tensor in call.targets)

    @cached_property
    def toward(self) -> frozenset[int]:
        """The ops that a target depends on, by what the tape recorded of them or not."""
        return frozenset(edge.op for edge in self.above(self.targets))

    def above(self, tensors: Sequence[int]) -> list[Edge]:
        """The ops that some tensors depend on, the last first."""
        waiting, found = list(tensors), {}
        while waiting:
            edge = self.maker.get(waiting.pop())
            if edge is not None and edge.op not in found:
                found[edge.op] = edge
                waiting += edge.inputs
        return [found[op] for op in sorted(found, reverse=True)]

    @cached_property
    def kinds(self) -> dict[int, int]:
        """What is in each tensor: VARIABLE and DATA, added up."""
        kinds: dict[int, int] = {}
        for edge in self.edges:
            kind = 0
            for tensor in edge.inputs:
                # A handle is looked at first: a model that is built in its first batch makes it there, by an op.
                inside = tensor in kinds and tensor not in self.handles
                kind |= kinds[tensor] if inside else self._leaf(edge, tensor)
            if not edge.inputs or edge.type.startswith(("Random", "StatelessRandom", "Iterator")):
                kind |= DATA
            for tensor in edge.outputs:
                kinds[tensor] = kind
        return kinds

    def _leaf(self, edge: Edge, tensor: int) -> int:
        if tensor in self.handles:
            return VARIABLE if reads(edge.type) else 0
        if edge.type in ("ReadVariableOp", "ResourceGather") and tensor == edge.inputs[0]:
            return 0
        return DATA if self.is_data(tensor) else 0

    def is_data(self, tensor: int) -> bool:
        """Whether a tensor from outside of the step may be data: more than a number, a shape or a list of axes."""
        sample = self.figures.get(tensor)
        if sample is None or sample.spec.shape is None:
            return True
        size = math.prod(sample.spec.shape)
        return size > 1 and not (sample.spec.dtype == "int32" and size <= _SHAPE_WORDS)

    def has(self, tensor: int, kind: int) -> bool:
        """Whether a tensor has a variable, or data, in it; data from outside of the step included."""
        known = self.kinds.get(tensor)
        if known is None:
            return kind == DATA and tensor not in self.handles and self.is_data(tensor)
        return bool(known & kind)

    def shape(self, tensor: int) -> tuple[int, ...] | None:
        """The shape of a tensor; None when it is not known."""
        edge = self.maker.get(tensor)
        if edge is not None and edge.outputs[0] == tensor:
            output = self.rows[edge.op].output
            return None if output is None else output.shape
        sample = self.figures.get(tensor)
        if sample is not None:
            return sample.spec.shape
        specs = {arg.tensor: arg.spec for arg in self.step.args if arg.spec is not None}
        return specs[tensor].shape if tensor in specs else None

    def origin(self, tensor: int) -> Edge | None:
        """The op that worked a tensor out, behind those that only hand it on."""
        edge = self.maker.get(tensor)
        while edge is not None and edge.type in PASSES_ON and edge.inputs:
            edge = self.maker.get(edge.inputs[0])
        return edge

    def variable(self, tensor: int) -> int | None:
        """The handle of the variable whose value a tensor is, as it is or cast; None when it is none's."""
        edge = self.origin(tensor)
        if edge is not None and edge.type == "ReadVariableOp" and edge.inputs[0] in self.handles:
            return edge.inputs[0]
        return None

    def weights(self, edge: Edge) -> list[int]:
        """The handles of the variables that an op takes the values of."""
        if edge.type == "ReadVariableOp":
            return []
        found = (self.variable(tensor) for tensor in edge.inputs)
        return [handle for handle in found if handle is not None]

    def layer(self, edge: Edge, most: int = 12) -> int | None:
        """The handle of the variable that went into an op last, looking back a few ops."""
        waiting, seen = [edge], {edge.op}
        while waiting and most > 0:
            most -= 1
            current = waiting.pop(0)
            weights = self.weights(current)
            if weights:
                return weights[0]
            makers = (self.maker.get(tensor) for tensor in current.inputs)
            for maker in makers:
                if maker is not None and maker.op not in seen:
                    seen.add(maker.op)
                    waiting.append(maker)
        return None

    def inside(self, edge: Edge, *functions: str) -> bool:
        """Whether an op ran inside a function or a class of one of these names."""
        wanted = set(functions)
        return any(not wanted.isdisjoint(frame.function.split(".")) for frame in self.frames(edge))

    def frames(self, edge: Edge) -> tuple[Frame, ...]:
        """The Python stack of an op, innermost frame first."""
        try:
            return self.reader.stack(edge.stack).frames
        except KeyError:
            return ()

    def of_type(self, *types: str) -> Iterator[Edge]:
        """The ops of the forward pass that are of one of these types."""
        return (edge for edge in self.forward if edge.type in types)

    def finding(self, rule: str, severity: Severity, edge: Edge, message: str, hint: str) -> Finding:
        """A finding at the line of an op."""
        row = self.rows[edge.op]
        where = (self.step.id, edge.op, row.path, row.line)
        return Finding(rule, severity, *where, message, hint)
