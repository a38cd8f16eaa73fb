"""What a gradient call has to do with: its tape, the ops up to it, what led to its targets."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from tapeinspect.analysis.differentiable import assigns
from tapeinspect.trace.reader import TraceReader
from tapeinspect.trace.records import (
    Edge,
    Frame,
    Gradient,
    GradientCall,
    NoneEvidence,
    PathStep,
    Reason,
    Tape,
)


@dataclass
class Scene:
    """A gradient call, its tape, and the ops of the batch up to the call, in order."""

    reader: TraceReader
    call: GradientCall
    tape: Tape
    edges: Sequence[Edge]
    begin: int
    """The first op that the tape could record."""
    end: int
    """The last one."""

    def recorded(self, edge: Edge) -> bool:
        """Whether the tape recorded an op, and kept it."""
        return self.tape.id in edge.tapes and not self.forgotten(edge.op)

    def forgotten(self, op: int) -> bool:
        """Whether the tape was reset after an op."""
        return op <= self._reset

    def inside(self, edge: Edge) -> bool:
        """Whether an op ran while the tape was open."""
        return self.begin <= edge.op <= self.end

    def paused(self, op: int) -> bool:
        """Whether the tape's recording was stopped when an op ran."""
        stopped = False
        for event in self.tape.events:
            if event.op >= op:
                break
            if event.event in ("stop_recording", "resume"):
                stopped = event.event == "stop_recording"
        return stopped

    @cached_property
    def earlier(self) -> list[GradientCall]:
        """The gradient calls before this one in the batch: what they gave may be what this one differentiates."""
        calls = self.reader.gradient_calls(self.call.step)
        return [call for call in calls if call.id < self.call.id and call.first_op is not None]

    def backward(self, op: int) -> bool:
        """Whether an op ran on the way back of an earlier gradient call."""
        return any((call.first_op or 0) <= op <= (call.last_op or 0) for call in self.earlier)

    @cached_property
    def _reset(self) -> int:
        """The last op before the tape was last reset; 0 when it was not."""
        return max((event.op for event in self.tape.events if event.event == "reset"), default=0)

    @cached_property
    def made(self) -> dict[int, Edge]:
        """The op that made each tensor."""
        return {tensor: edge for edge in self.edges for tensor in edge.outputs}

    @cached_property
    def toward(self) -> set[int]:
        """The ops that the targets depend on, through tensors or through variables written and read again."""
        return _toward(self.edges, self.call.targets)

    def reason(
        self, message: str, edge: Edge | None = None, hint: str = "", steps: tuple[PathStep, ...] = ()
    ) -> Reason:
        """A reason at the line of an op, else at that of the call."""
        if edge is not None:
            path, line = self.place(edge)
            if line is not None:
                return Reason(message, path, line, hint, steps)
        return Reason(message, self.call.path, self.call.line, hint, steps)

    def place(self, edge: Edge) -> tuple[str | None, int | None]:
        """File and line of the user's code that ran an op."""
        row = self.reader.rows([edge.op])[0]
        return row.path, row.line

    def at(self, edge: Edge) -> str:
        """ " at line 12" of the user's code, with the file when it is another than the call's, or nothing."""
        return self.at_place(*self.place(edge))

    def at_place(self, path: str | None, line: int | None) -> str:
        """The same for a file and a line."""
        if line is None:
            return ""
        if path is None or path == self.call.path:
            return f" at line {line}"
        return f" at {path.replace(chr(92), '/').rsplit('/', 1)[-1]}:{line}"

    def frame(self, edge: Edge) -> Frame | None:
        """The innermost frame of the user's on the stack of an op."""
        try:
            return self.reader.stack(edge.stack).user
        except KeyError:
            return None

    def step_of(self, edge: Edge, tensor: int | None = None) -> PathStep:
        """An op as a step of a way."""
        path, line = self.place(edge)
        handed = tensor if tensor is not None else (edge.outputs[0] if edge.outputs else None)
        return PathStep(edge.op, edge.type, path, line, handed)


@dataclass(frozen=True, slots=True)
class Source:
    """The source whose gradient is None, as far as the recording tells."""

    gradient: Gradient
    tensor: int
    """Id of the tensor, or of the variable's handle."""
    evidence: NoneEvidence | None

    @property
    def name(self) -> str:
        """As the user knows it."""
        return self.gradient.variable.name

    @property
    def code(self) -> str:
        """As the code at the call writes it, for advice."""
        known = self.evidence.local if self.evidence is not None else None
        if known is None or self.is_variable:
            return re.sub(r" \(\d+\)$", "", self.name)  # the number that tells variables of one name apart
        return known.replace("/", ".")

    @property
    def is_variable(self) -> bool:
        """A variable, not a tensor that was given as a source."""
        return self.gradient.variable.kind == "variable"


def make_scene(reader: TraceReader, call: GradientCall) -> Scene | None:
    """The scene of a call; None when its tape was not recorded."""
    tape = next((tape for tape in reader.tapes(call.step) if tape.id == call.tape), None)
    if tape is None:
        tape = next((tape for tape in reader.tapes(None) if tape.id == call.tape), None)
    if tape is None:
        return None
    begin, end = _begin(tape), _end(tape, reader.counts.ops)
    first = begin
    last = call.first_op - 1 if call.first_op is not None else max(end, first)
    if call.step is not None:
        try:
            step = reader.step(call.step)
        except KeyError:
            return None
        first = min(first, step.first_op)
        if call.first_op is None and step.last_op is not None:
            last = max(last, step.last_op)
    return Scene(reader, call, tape, reader.edges(first, last), begin, end)


def _begin(tape: Tape) -> int:
    entered = next((event.op + 1 for event in tape.events if event.event == "enter"), None)
    return entered or tape.first_op or 1


def _end(tape: Tape, otherwise: int) -> int:
    left = next((event.op for event in reversed(tape.events) if event.event == "exit"), None)
    return left or tape.last_op or otherwise


def _toward(edges: Sequence[Edge], targets: Iterable[int]) -> set[int]:
    needed = set(targets)
    found: set[int] = set()
    for edge in reversed(edges):
        writes = bool(edge.inputs) and assigns(edge.type) and edge.inputs[0] in needed
        if writes or not needed.isdisjoint(edge.outputs):
            found.add(edge.op)
            needed.update(edge.inputs)
    return found
