"""The backward pass, op by op: what came into each backward call, what went out, and which op it belongs to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final, TypeAlias

from tapeinspect.trace import decode
from tapeinspect.trace.database import Database, Row
from tapeinspect.trace.ops import Ops
from tapeinspect.trace.records import BackwardCall, Edge, Flow, Health, TensorSpec

_ROW: Final = (
    "SELECT id, call, parent, step, thread, type, op, first_op, last_op, took_ns, incoming_json,"
    " outgoing_json, outputs_json, inputs_json FROM backward"
)
_KEPT: Final = 8
"""Gradient calls kept in memory."""

Reference: TypeAlias = "tuple[int, int | None] | None"
"""A gradient as the file names it: (tensor, indices), or None for none."""


class Backward:
    """Backward calls by gradient call and by forward op. What has ended does not change, so it is kept."""

    def __init__(self, database: Database, ops: Ops) -> None:
        self._database = database
        self._ops = ops
        self._kept: dict[int, list[BackwardCall]] = {}

    @property
    def known(self) -> bool:
        """Whether the file has a place for it."""
        return "backward" in self._database.tables

    def of_call(self, call: int) -> list[BackwardCall]:
        """The backward calls of one gradient call, in the order they began."""
        if not self.known:
            return []
        kept = self._kept.get(call)
        if kept is None:
            rows = self._database.rows(f"{_ROW} WHERE call = ? ORDER BY id", (call,))
            ended = self._database.one(
                "SELECT targets_json, first_op, last_op FROM gradient_call WHERE id = ?", (call,)
            )
            kept = self._read(call, rows, ended)
            if ended is not None:
                self._kept = {**dict(list(self._kept.items())[1 - _KEPT :]), call: kept}
        return kept

    def of_op(self, op: int) -> list[BackwardCall]:
        """The backward calls of one forward op, in order."""
        if not self.known:
            return []
        # by the tapes that recorded it; or it ran inside a gradient call, for a tape that a gradient function opened
        calls = self._database.rows(
            "SELECT id FROM gradient_call WHERE tape IN (SELECT tape FROM op WHERE id = :op UNION"
            " SELECT tape FROM op_tape WHERE op = :op) OR :op BETWEEN first_op AND last_op ORDER BY id",
            {"op": op},
        )
        return [found for (call,) in calls for found in self.of_call(decode.whole(call)) if found.op == op]

    def sums(self, call: int) -> dict[int, tuple[int, ...]]:
        """The sums that a gradient call made: their parts by the tensor of the sum."""
        if not self.known:
            return {}
        rows = self._database.rows("SELECT tensor, parts_json FROM gradient_sum WHERE call = ?", (call,))
        return {
            tensor: tuple(part[0] for part in references(parts) if part is not None) for tensor, parts in rows
        }

    def _read(self, call: int, rows: list[Row], ended: Row | None) -> list[BackwardCall]:
        if not rows:
            return []
        first, last = min(decode.whole(row[7]) for row in rows), max(decode.whole(row[8]) for row in rows)
        if ended is not None:
            first = min(first, decode.maybe_whole(ended[1]) or first)
            last = max(last, decode.maybe_whole(ended[2]) or last)
        measured = _Measured(self._database, self._ops, first, last)
        links = _Links(self._ops, self.sums(call), decode.ids(ended[0]) if ended else ())
        links.load(decode.whole(row[6]) for row in rows)
        return [_call(row, links, measured) for row in rows]


def references(value: object) -> tuple[Reference, ...]:
    """The gradients that JSON text of the file names."""
    content = decode.from_json(value)
    return tuple(map(_reference, content)) if isinstance(content, list) else ()


def _reference(item: object) -> Reference:
    if type(item) is int:
        return item, None
    if isinstance(item, list) and len(item) == 2 and all(type(tensor) is int for tensor in item):
        return item[0], item[1]
    return None


def _tensors(value: object) -> tuple[int | None, ...] | None:
    content = decode.from_json(value)
    if not isinstance(content, list):
        return None
    return tuple(item if type(item) is int else None for item in content)


def _call(row: Row, links: _Links, measured: _Measured) -> BackwardCall:
    incoming, outgoing = references(row[10]), references(row[11])
    op, outputs, inputs = links.find(row, incoming)
    came = _flows(incoming, outputs, measured, links.parts)
    links.note(outgoing, inputs)
    first, last = decode.whole(row[7]), decode.whole(row[8])
    return BackwardCall(
        id=row[0],
        call=decode.whole(row[1]),
        parent=decode.maybe_whole(row[2]),
        step=decode.maybe_whole(row[3]),
        thread=decode.whole(row[4]),
        type=decode.text(row[5]),
        op=op,
        incoming=came,
        outgoing=_flows(outgoing, inputs, measured, lambda tensor, of: ()),
        first_op=first if last >= first else None,
        last_op=last if last >= first else None,
        took_ns=decode.whole(row[9]),
    )


def _flows(
    found: Iterable[Reference],
    of: tuple[int | None, ...],
    measured: _Measured,
    parts: Callable[[int, int | None], tuple[int, ...]],
) -> tuple[Flow | None, ...]:
    flows: list[Flow | None] = []
    for slot, reference in enumerate(found):
        if reference is None:
            flows.append(None)
            continue
        tensor, indices = reference
        spec, health = measured.of(tensor)
        forward = of[slot] if slot < len(of) else None
        flows.append(
            Flow(
                tensor=tensor,
                of=forward,
                indices=indices,
                spec=spec,
                health=health,
                parts=parts(tensor, forward),
            )
        )
    return tuple(flows)


class _Measured:
    """What is known of gradients: dtype, shape, health."""

    def __init__(self, database: Database, ops: Ops, first: int, last: int) -> None:
        self._database = database
        self._ops = ops
        self._known: dict[int, tuple[TensorSpec | None, Health | None]] = {
            output.id: (output.spec, output.health) for output in ops.outputs(first, last)
        }
        self._known[0] = (None, None)

    def of(self, tensor: int) -> tuple[TensorSpec | None, Health | None]:
        """A tensor, which an op may have made long before the backward pass: zeros are made once."""
        if tensor not in self._known:
            self._known[tensor] = self._look(tensor)
        return self._known[tensor]

    def _look(self, tensor: int) -> tuple[TensorSpec | None, Health | None]:
        op = self._ops.producer(tensor)
        for output in self._ops.op(op).outputs if op is not None else ():
            if output.id == tensor:
                return output.spec, output.health
        row = self._database.one("SELECT nan, inf, norm FROM health WHERE tensor = ?", (tensor,))
        if row is None:
            return None, None
        return None, Health(decode.whole(row[0]), decode.whole(row[1]), decode.maybe_real(row[2]))


class _Links:
    """Which forward op each backward call belongs to.

    The file names it wherever the probe knew. Where it does not, the forward tensors that the tape still had tell, or
    else the gradient that came in: it went out of the call of an op that took the tensor we look for.
    """

    def __init__(self, ops: Ops, sums: dict[int, tuple[int, ...]], targets: tuple[int, ...]) -> None:
        self._ops = ops
        self._sums = sums
        self._targets = targets
        self._edges: dict[int, Edge] = {}
        self._of: dict[int, set[int]] = {}
        """Forward tensors by the tensor of their gradient."""

    def load(self, ops: Iterable[int]) -> None:
        """Read these ops."""
        for part in _runs(sorted({op for op in ops if op})):
            self._edges.update((edge.op, edge) for edge in self._ops.edges(part.start, part.stop - 1))

    def find(
        self, row: Row, incoming: tuple[Reference, ...]
    ) -> tuple[int | None, tuple[int | None, ...], tuple[int | None, ...]]:
        """(op, its outputs, its inputs); for a function with a gradient of its own, what it was recorded with."""
        type, op = decode.text(row[5]), decode.maybe_whole(row[6])
        outputs, inputs = _tensors(row[12]), _tensors(row[13])
        if op is None:
            op = self._by_tensors(type, outputs or (), inputs or (), incoming)
        edge = self._edge(op)
        partly = outputs is None or None in outputs or inputs is None or None in inputs
        if edge is not None and edge.type == type:
            if partly:
                outputs, inputs = edge.outputs, edge.inputs
        elif partly:  # another op than the one the probe took it for
            op = None
        outputs = outputs or (None,) * len(incoming)
        if op is None:  # a read of a variable that was handed straight to an op
            outputs = tuple(map(self._only, incoming)) if None in outputs else outputs
        return op, outputs, inputs or ()

    def note(self, outgoing: tuple[Reference, ...], inputs: tuple[int | None, ...]) -> None:
        """Gradients went out for these tensors."""
        for reference, tensor in zip(outgoing, inputs, strict=False):
            if reference is not None and tensor is not None:
                self._of.setdefault(reference[0], set()).add(tensor)

    def parts(self, tensor: int, of: int | None) -> tuple[int, ...]:
        """What was summed to a gradient that comes in; a sum that another op has passed on is none here."""
        passed = of in self._of.get(tensor, ())
        return () if passed else self._sums.get(tensor, ())

    def _edge(self, op: int | None) -> Edge | None:
        if op is not None and op not in self._edges:
            self.load((op,))
        return None if op is None else self._edges.get(op)

    def _by_tensors(
        self,
        type: str,
        outputs: tuple[int | None, ...],
        inputs: tuple[int | None, ...],
        incoming: tuple[Reference, ...],
    ) -> int | None:
        kept = [tensor for tensor in outputs if tensor is not None]
        if kept:
            return self._ops.producer(kept[0])
        found: set[int] = set()
        for reference in incoming:
            for tensor in self._came_for(reference):
                edge = self._edge(self._ops.producer(tensor))
                if edge is not None and edge.type == type and _agree(edge.inputs, inputs):
                    found.add(edge.op)
        return found.pop() if len(found) == 1 else None

    def _only(self, reference: Reference) -> int | None:
        """The forward tensor that a gradient is of, where only one comes into question."""
        tensors = self._came_for(reference)
        return next(iter(tensors)) if len(tensors) == 1 else None

    def _came_for(self, reference: Reference) -> set[int]:
        """The forward tensors that a gradient may be of."""
        if reference is None:
            return set()
        tensors = self._sums.get(reference[0], (reference[0],))
        known = [self._of[tensor] for tensor in tensors if tensor in self._of]
        return set.intersection(*known) if known else set(self._targets)


def _agree(inputs: tuple[int, ...], kept: tuple[int | None, ...]) -> bool:
    return not kept or all(
        tensor is None or tensor == mine for mine, tensor in zip(inputs, kept, strict=False)
    )


def _runs(ops: list[int]) -> Iterator[range]:
    """Ids in ranges without large gaps."""
    start = 0
    for end in range(1, len(ops) + 1):
        if end == len(ops) or ops[end] - ops[end - 1] > 200:
            yield range(ops[start], ops[end - 1] + 1)
            start = end
