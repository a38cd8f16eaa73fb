"""Going back from a bad tensor, through bad tensors only, to the ops that made NaN or Inf of finite inputs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from tapeinspect.analysis.differentiable import assigns
from tapeinspect.trace.reader import TraceReader
from tapeinspect.trace.records import Edge, Health, Step

_SOURCES = frozenset(
    {
        "IteratorGetNext", "IteratorGetNextSync", "OptionalGetValue", "EagerPyFunc", "PyFunc", "ReadFile",
        "RestoreV2", "DecodeRaw", "ParseExampleV2", "QueueDequeueV2", "TensorListGetItem", "Const",
    }
)  # fmt: skip
"""Op types that bring values in from elsewhere."""
_STEPS_BACK = 4
"""Steps before a variable's first bad reading in which its assignment is looked for."""


@dataclass(frozen=True, slots=True)
class Root:
    """Where a line of bad tensors begins."""

    edge: Edge
    kind: Literal["op", "data", "variable", "gradient"]
    """The op made it of finite inputs, was given it from outside, or read it from a variable that had it already; or
    its gradient function made it without an op."""
    given: int | None = None
    """For data: the input that held it, or the op's output when the op itself brought it in."""


@dataclass
class Chain:
    """The bad ops that lead to a victim."""

    reader: TraceReader
    edges: list[Edge]
    """Of the victim's step, and of those before it that were needed; in order."""
    bad: dict[int, Health]
    roots: list[Root] = field(default_factory=list)
    """The earliest first."""
    members: dict[int, Edge] = field(default_factory=dict)
    """Every bad op on the way, by id."""
    toward: dict[int, Edge] = field(default_factory=dict)
    """For each of them, the op nearer to the victim that took its output."""
    _made: dict[int, Edge] = field(default_factory=dict)
    _steps_back: int = 0
    _passed: set[int] = field(default_factory=set)

    def follow(self, tensors: Iterable[int], taken_by: Edge | None) -> None:
        """Go back from bad tensors."""
        self._made = {tensor: edge for edge in self.edges for tensor in edge.outputs}
        waiting: list[tuple[int, Edge | None]] = [(tensor, taken_by) for tensor in tensors]
        while waiting:
            tensor, consumer = waiting.pop()
            edge = self._maker(tensor)
            if edge is None:
                if self._came_back(tensor, consumer, waiting):
                    continue
                if consumer is not None:
                    self._root(Root(consumer, "data", tensor))
                continue
            if consumer is not None:
                self.toward.setdefault(edge.op, consumer)
            if edge.op in self.members:
                continue
            self.members[edge.op] = edge
            waiting += self._bad_inputs(edge)
        self.roots.sort(key=lambda root: root.edge.op)

    def _came_back(self, tensor: int, consumer: Edge | None, waiting: list[tuple[int, Edge | None]]) -> bool:
        """Go on behind a gradient that no op made; False when it is none, or not known to be one."""
        if tensor not in self.bad:
            return False
        if tensor in self._passed:
            return True
        self._passed.add(tensor)
        for step in {edge.step for edge in self.edges if edge.step is not None}:
            for call in self.reader.gradient_calls(step):
                for row in self.reader.backward_calls(call.id):
                    if all(flow is None or flow.tensor != tensor for flow in row.outgoing) or row.op is None:
                        continue
                    hurt = [
                        flow.tensor for flow in row.incoming if flow is not None and flow.tensor in self.bad
                    ]
                    waiting += [(given, consumer) for given in hurt]
                    forward = next(iter(self.reader.edges(row.op, row.op)), None)
                    if not hurt and forward is not None:
                        if consumer is not None:
                            self.toward.setdefault(forward.op, consumer)
                        self._root(Root(forward, "gradient", tensor))
                    return bool(hurt) or forward is not None
        return False

    def is_nan(self, edge: Edge) -> bool:
        """Whether an output of an op holds NaN."""
        return any(tensor in self.bad and self.bad[tensor].nan for tensor in edge.outputs)

    def way(self, root: Edge, over: Edge | None) -> list[Edge]:
        """The bad ops from a root to the victim, by way of another one when that is on one of the ways."""
        begin = self._between(root, over) if over is not None else []
        edges = begin or [root]
        seen = {edge.op for edge in edges}
        while (nearer := self.toward.get(edges[-1].op)) is not None and nearer.op not in seen:
            edges.append(nearer)
            seen.add(nearer.op)
        return edges

    def _between(self, root: Edge, end: Edge) -> list[Edge]:
        """The shortest way over bad tensors from one op to another, both included; empty when there is none."""
        takers: dict[int, list[Edge]] = {}
        for edge in self.members.values():
            for tensor in edge.inputs:
                if tensor in self.bad:
                    takers.setdefault(tensor, []).append(edge)
        before: dict[int, Edge | None] = {root.op: None}
        waiting = [root]
        for edge in waiting:
            if edge.op == end.op:
                found = [edge]
                while (earlier := before[found[-1].op]) is not None:
                    found.append(earlier)
                return found[::-1]
            for taker in (taker for tensor in edge.outputs for taker in takers.get(tensor, [])):
                if taker.op not in before:
                    before[taker.op] = edge
                    waiting.append(taker)
        return []

    def turn(self) -> Edge | None:
        """The first op that made NaN of inputs that held Inf, but no NaN."""
        for op in sorted(self.members):
            edge = self.members[op]
            if self.is_nan(edge) and not any(
                self.bad[tensor].nan for tensor in edge.inputs if tensor in self.bad
            ):
                return edge
        return None

    def _maker(self, tensor: int) -> Edge | None:
        edge = self._made.get(tensor)
        if edge is None:
            producer = self.reader.producer(tensor)
            edge = next(iter(self.reader.edges(producer, producer)), None) if producer is not None else None
        return edge

    def _bad_inputs(self, edge: Edge) -> list[tuple[int, Edge]]:
        """The bad inputs of an op, each with the op that took it: another one where a variable lies between.

        None for an op where the line begins, which is taken down as a root.
        """
        found = [tensor for tensor in edge.inputs if tensor in self.bad]
        if found:
            return [(tensor, edge) for tensor in found]
        if edge.type == "ReadVariableOp" and edge.inputs:
            return self._assigned(edge, edge.inputs[0])
        if edge.type in _SOURCES:
            self._root(Root(edge, "data", edge.outputs[0] if edge.outputs else None))
            return []
        outside = self._bad_from_outside(edge)
        if outside is not None:
            hidden = self._read_unseen(edge)
            if hidden is not None:
                return hidden
            self._root(Root(edge, "data", outside))
            return []
        self._root(Root(edge, "op"))
        return []

    def _root(self, root: Root) -> None:
        if all(known.edge.op != root.edge.op for known in self.roots):
            self.roots.append(root)

    def _bad_from_outside(self, edge: Edge) -> int | None:
        """An input that no recorded op made and that held NaN or Inf when the op ran."""
        note = self.reader.origin(edge.op)
        if note is None:
            return None
        return next((given.tensor for given in note.inputs if given.nan or given.inf), None)

    def _read_unseen(self, edge: Edge) -> list[tuple[int, Edge]] | None:
        """Go on with the variables that are bad, when the op may have read one of them unseen; None when none is."""
        if edge.step is None:
            return None
        figures = self.reader.variable_steps(edge.step)
        handles = {variable.id: variable.handle for variable in self.reader.variables()}
        hurt = [handles.get(variable) for variable, step in figures.items() if step.nan or step.inf]
        found = [one for handle in hurt if handle for one in self._assigned(edge, handle)]
        return found or None

    def _assigned(self, reading: Edge, handle: int) -> list[tuple[int, Edge]]:
        """The bad tensors that were last assigned to a variable before it was read."""
        while True:
            before = [
                edge
                for edge in self.edges
                if edge.op < reading.op and assigns(edge.type) and edge.inputs and edge.inputs[0] == handle
            ]
            for edge in reversed(before):
                found = [(tensor, edge) for tensor in edge.inputs[1:] if tensor in self.bad]
                if found:
                    self.members[edge.op] = edge
                    self.toward.setdefault(edge.op, reading)
                    return found
                if not edge.type.startswith("AssignVariable"):  # the change itself overflowed, or took it in
                    self.members[edge.op] = edge
                    self.toward.setdefault(edge.op, reading)
                    self._root(Root(edge, "op"))
                    return []
            if before or not self._further_back():
                self._root(Root(reading, "variable"))
                return []

    def _further_back(self) -> bool:
        """Take in the step before the earliest one; False when there is none, or enough was looked at."""
        first = self.edges[0].op if self.edges else 1
        step = next((step for step in reversed(self.reader.steps()) if step.first_op < first), None)
        if step is None or self._steps_back >= _STEPS_BACK:
            return False
        self._steps_back += 1
        edges = self.reader.edges(step.first_op, first - 1)
        self.edges = [*edges, *self.edges]
        self.bad = {**self.reader.bad_tensors(step.first_op, first - 1), **self.bad}
        self._made.update({tensor: edge for edge in edges for tensor in edge.outputs})
        return bool(edges)


def chain_of(
    reader: TraceReader, step: Step, last: int, tensors: Iterable[int], taken_by: Edge | None
) -> Chain:
    """The chain of a victim of a step, up to the op `last`."""
    chain = Chain(reader, reader.edges(step.first_op, last), reader.bad_tensors(step.first_op, last))
    chain.follow(tensors, taken_by)
    return chain
