"""How far a gradient came: the forward ops that a gradient call did not reach, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from tapeinspect.analysis.differentiable import NO_GRADIENT, assigns, carries_gradient
from tapeinspect.trace.reader import TraceReader
from tapeinspect.trace.records import BackwardCall, Edge, GradientCall, Tape

_WHOLE_RUN: Final = 20
"""Gradient calls followed when there are no batches to choose from."""

Cause: TypeAlias = Literal[
    "integer", "stops", "outside", "unused", "behind", "around", "source", "none", "unasked"
]


@dataclass(frozen=True, slots=True)
class Unreached:
    """A forward op whose outputs got no gradient."""

    op: int
    cause: Cause
    """'integer': its outputs are of a type without gradients. 'stops': the op type has no gradient (StopGradient).
    'outside': the tape did not record it. 'unused': the target does not depend on it. 'behind': it reaches the target
    only through `culprit`. 'around': it is part of a function with a gradient of its own, `culprit`. 'source': it only
    leads to a tensor that was asked for, where the pass ends. 'none': the gradient function of `culprit` gave None
    for it. 'unasked': no source that was asked for is behind it."""
    culprit: int | None
    """The op that stopped the gradient, where it was another one."""
    short: str
    """Three or four words."""
    message: str
    """One phrase."""


@dataclass(frozen=True, slots=True)
class Pass:
    """One gradient call, op by op."""

    call: GradientCall
    calls: Sequence[BackwardCall]
    reached: dict[int, BackwardCall]
    """By forward op; the last one where an op was taken backward twice."""
    unreached: dict[int, Unreached]
    """By forward op, of those that ran while the tape was open."""
    graph: int | None = None
    """Ops of the graph that a jacobian runs backward as, where nothing is seen of it op by op; None elsewhere."""


def gradient_pass(reader: TraceReader, call: GradientCall) -> Pass:
    """What a gradient call reached of the ops of its tape."""
    calls = reader.backward_calls(call.id)
    reached = _reached(reader, calls)
    tape = _tape(reader, call)
    if tape is None or not calls or call.method != "gradient":
        return Pass(call, calls, reached, {}, None if calls else _graph(reader, call))
    edges = reader.edges(*_span(tape, call, reader.counts.ops))
    sources = frozenset(
        tensor
        for gradient in reader.gradients(call.step)
        if gradient.call == call.id
        for tensor in (gradient.variable.handle,)
        if tensor is not None
    )
    return Pass(call, calls, reached, _Walk(call, tape.id, edges, reached, sources).unreached())


def gradient_passes(reader: TraceReader, step: int | None) -> list[Pass]:
    """The gradient flow of a step (None: of the run, its first calls): its gradient calls, in order."""
    calls = reader.gradient_calls(step)
    return [gradient_pass(reader, call) for call in (calls if step is not None else calls[:_WHOLE_RUN])]


def _graph(reader: TraceReader, call: GradientCall) -> int | None:
    """How many ops the graph has that a jacobian was made into."""
    if call.method == "gradient" or call.first_op is None or call.last_op is None:
        return None
    within = [trace.nodes for trace in reader.traces() if call.first_op <= trace.op <= call.last_op + 1]
    return sum(within) or None


def _reached(reader: TraceReader, calls: Sequence[BackwardCall]) -> dict[int, BackwardCall]:
    """Backward calls by forward op; a function with a gradient of its own may have an op for each output."""
    reached: dict[int, BackwardCall] = {}
    for backward in calls:
        if backward.op is None:
            continue
        reached[backward.op] = backward
        for flow in backward.incoming[1:]:
            other = reader.producer(flow.of) if flow is not None and flow.of is not None else None
            if other is not None:
                reached[other] = backward
    return reached


def _tape(reader: TraceReader, call: GradientCall) -> Tape | None:
    for step in dict.fromkeys((call.step, None)):
        found = next((tape for tape in reader.tapes(step) if tape.id == call.tape), None)
        if found is not None:
            return found
    return None


def _span(tape: Tape, call: GradientCall, last: int) -> tuple[int, int]:
    """The ops that ran while the tape was open, up to the call."""
    end = call.first_op - 1 if call.first_op is not None else tape.last_op or last
    if tape.last_op is not None:
        end = min(end, tape.last_op)
    return tape.first_op or 1, end


@dataclass(frozen=True, slots=True)
class _Stop:
    """Why no gradient comes for a tensor that the target depends on."""

    cause: Cause
    culprit: int | None


class _Walk:
    """Goes from the targets backward through the recorded ops, as the tape did."""

    def __init__(
        self,
        call: GradientCall,
        tape: int,
        edges: Sequence[Edge],
        reached: dict[int, BackwardCall],
        sources: frozenset[int],
    ) -> None:
        self._tape = tape
        self._edges = edges
        self._types = {edge.op: edge.type for edge in edges}
        self._reached = reached
        self._sources = sources
        self._wanted: dict[int, _Stop | None] = dict.fromkeys(call.targets)
        """Tensors that the target depends on: None where a gradient comes, else why none does."""

    def unreached(self) -> dict[int, Unreached]:
        """The ops without a gradient, by id."""
        found: dict[int, Unreached] = {}
        for edge in reversed(self._edges):
            backward = self._reached.get(edge.op)
            if backward is None:
                stop = self._stop(edge)
                found[edge.op] = self._tell(edge, stop)
                if stop.cause != "unused":
                    passed = (
                        stop if stop.cause in ("behind", "source", "around") else _Stop("behind", edge.op)
                    )
                    for tensor in edge.inputs:
                        self._wanted.setdefault(tensor, passed)
            else:
                self._pass_on(edge, backward)
        return dict(sorted(found.items()))

    def _pass_on(self, edge: Edge, backward: BackwardCall) -> None:
        given = {flow.of for flow in backward.outgoing if flow is not None}
        cause: Cause = "none" if backward.type == edge.type else "around"
        for tensor in given:
            if tensor is not None:
                self._wanted[tensor] = None
        for tensor in edge.inputs:
            if tensor not in given:
                self._wanted.setdefault(tensor, _Stop(cause, edge.op))

    def _stop(self, edge: Edge) -> _Stop:
        """Why an op has no backward call."""
        if edge.dtypes and not any(carries_gradient(dtype) for dtype in edge.dtypes):
            return _Stop("integer", None)
        wanted = [self._wanted[tensor] for tensor in edge.outputs if tensor in self._wanted]
        if edge.type in NO_GRADIENT and wanted:
            return _Stop("stops", None)
        if not wanted:
            return _Stop("unused", None)
        if self._sources.intersection(edge.outputs):
            return _Stop("source", None)
        if self._tape not in edge.tapes:
            return _Stop("outside", None)
        stops = [stop for stop in wanted if stop is not None]
        if len(stops) == len(wanted):
            return stops[0]
        return _Stop("unasked", None)

    def _tell(self, edge: Edge, stop: _Stop) -> Unreached:
        other = self._types.get(stop.culprit or 0, "another op")
        if stop.cause == "around" and stop.culprit in self._reached:
            other = self._reached[stop.culprit].type
        dtypes = ", ".join(sorted(set(edge.dtypes)))
        short, message = {
            "integer": (f"{dtypes} has no gradient", ""),
            "stops": ("passes no gradient", f"{edge.type} passes no gradient"),
            "outside": ("not recorded", "the tape did not record it"),
            "unused": ("no path to the target", "the target does not depend on it"),
            "behind": (f"only through {other}", f"it reaches the target only through {other} {stop.culprit}"),
            "around": (f"part of {other}", f"it is part of {other}, which has a gradient of its own"),
            "source": ("the way ends here", "its own gradient was asked for: the way ends here"),
            "none": (f"None from {other}", f"the gradient of {other} {stop.culprit} gave None for it"),
            "unasked": ("no source behind it", "no source that was asked for is behind it"),
        }[stop.cause]
        if assigns(edge.type):
            short, message = "writes a variable", ""
        return Unreached(edge.op, stop.cause, stop.culprit, short, message or short)
