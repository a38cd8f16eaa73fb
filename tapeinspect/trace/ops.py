"""Queries about ops: digests for lists, the whole record of one, who made a tensor and who took it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from tapeinspect.trace import decode
from tapeinspect.trace.database import Database, Row
from tapeinspect.trace.interned import NO_PLACE, UNKNOWN_KIND, Interned, Kind
from tapeinspect.trace.records import Edge, Health, Op, OpRow, Output, Stack, TensorSpec
from tapeinspect.trace.spans import BackwardSpans

_COLUMNS: Final = "id, step, kind, stack, thread, time_us, took_ns, tape, output, norm"
_BATCH: Final = 500
_NEAR: Final = 256
"""Ops on either side of where a tensor should have been made: threads number them a little out of order."""

_PRODUCERS_KEPT: Final = 4096
_MOST_OPS: Final = (1 << 62) - 1
"""A limit on ids, so that the length of a range of them fits where Python wants it to."""


class Ops:
    """Ops by id."""

    def __init__(self, database: Database, interned: Interned, backward: BackwardSpans) -> None:
        self._database = database
        self._interned = interned
        self._backward = backward
        self._producers: dict[int, int] = {}

    def span(self) -> range:
        """The ids of all ops."""
        row = self._database.one("SELECT (SELECT min(id) FROM op), (SELECT max(id) FROM op)")
        if row is None or row[0] is None:
            return range(0)
        return range(max(1, row[0]), min(row[1], _MOST_OPS) + 1)

    def stored_outputs(self, step: int) -> dict[int, int]:
        """Op and its first output, where the value of that is stored."""
        found = self._database.rows(
            "SELECT op.id, op.output FROM op JOIN value ON value.tensor = op.output WHERE op.step = ?", [step]
        )
        return {decode.whole(op): decode.whole(output) for op, output in found}

    def rows(self, ids: Sequence[int]) -> list[OpRow]:
        """Digests in the order of `ids`; an op that is not in the file has the type "unknown"."""
        found: dict[int, OpRow] = {}
        for start in range(0, len(ids), _BATCH):
            for row in self._digests(list(ids[start : start + _BATCH])):
                found[row.id] = row
        return [found.get(op) or _unknown(op) for op in ids]

    def _digests(self, ids: list[int]) -> list[OpRow]:
        if len(ids) > 1 and ids[-1] - ids[0] == len(ids) - 1:
            where: tuple[str, list[int]] = ("BETWEEN ? AND ?", [ids[0], ids[-1]])
        else:
            where = (f"IN ({','.join('?' * len(ids))})", ids)
        rows = self._database.rows(f"SELECT {_COLUMNS} FROM op WHERE id {where[0]}", where[1])
        bad = self._database.rows(
            f"SELECT DISTINCT op FROM health WHERE op {where[0]} AND (nan > 0 OR inf > 0)", where[1]
        )
        bad_ids = {row[0] for row in bad}
        kinds = self._interned.kinds(decode.whole(row[2]) for row in rows)
        self._interned.places(decode.whole(row[3]) for row in rows)
        return [
            self._row(row, kinds.get(decode.whole(row[2]), UNKNOWN_KIND), row[0] in bad_ids) for row in rows
        ]

    def _row(self, row: Row, kind: Kind, bad: bool) -> OpRow:
        place = self._interned.place(decode.whole(row[3]))
        thread = decode.whole(row[4])
        return OpRow(
            id=row[0],
            step=decode.maybe_whole(row[1]),
            type=kind.type,
            stack=decode.whole(row[3]),
            path=place.path,
            line=place.line,
            thread=thread,
            time_us=decode.whole(row[5]),
            took_ns=decode.whole(row[6]),
            tape=decode.maybe_whole(row[7]),
            output=kind.outputs[0] if kind.outputs and row[8] is not None else None,
            norm=decode.maybe_real(row[9]),
            bad=bad,
            backward=self._backward.holds(row[0], thread),
        )

    def op(self, op: int) -> Op:
        """Everything about one op; KeyError when it is not in the file."""
        found = self._database.one("SELECT kind, inputs_json, output FROM op WHERE id = ?", (op,))
        if found is None:
            raise KeyError(op)
        (row,) = self._digests([op])
        kind = decode.whole(found[0])
        known = self._interned.kinds((kind,)).get(kind, UNKNOWN_KIND)
        tapes = self._database.rows("SELECT tape FROM op_tape WHERE op = ? ORDER BY tape DESC", (op,))
        further = [decode.whole(tape) for (tape,) in tapes if tape != row.tape]
        thread = self._database.one("SELECT name FROM thread WHERE id = ?", (row.thread,))
        try:
            stack = self._interned.stack(row.stack)
        except KeyError:
            stack = Stack(row.stack, (), None)
        return Op(
            row=row,
            inputs=decode.ids(found[1]),
            outputs=self._outputs(row, known.outputs, decode.maybe_whole(found[2])),
            attrs=self._interned.attrs(kind),
            stack=stack,
            tapes=(*(() if row.tape is None else (row.tape,)), *further),
            thread_name=decode.text(thread[0]) if thread else f"thread {row.thread}",
        )

    def _outputs(self, row: OpRow, specs: Sequence[TensorSpec], first: int | None) -> tuple[Output, ...]:
        if first is None:
            return ()
        tensors = self._output_ids(row.id, first, len(specs))
        health = self._health(tensors)
        if row.norm is not None:
            health.setdefault(first, Health(0, 0, row.norm))
        return tuple(
            Output(tensor, spec, health.get(tensor)) for tensor, spec in zip(tensors, specs, strict=True)
        )

    def _output_ids(self, op: int, first: int, count: int) -> list[int]:
        ids = list(range(first, first + count))
        for slot, tensor in self._database.rows("SELECT slot, tensor FROM op_output WHERE op = ?", (op,)):
            if isinstance(slot, int) and 0 <= slot < count:
                ids[slot] = decode.whole(tensor)
        return ids

    def outputs(self, first: int, last: int) -> list[Output]:
        """All outputs of the ops from `first` to `last`, in order."""
        between = (first, last)
        rows = self._database.scan(
            "SELECT id, kind, output, norm FROM op WHERE id BETWEEN ? AND ? AND output IS NOT NULL ORDER BY id",
            between,
        )
        kinds = self._interned.kinds(decode.whole(row[1]) for row in rows)
        slots = {
            (op, slot): decode.whole(tensor)
            for op, slot, tensor in self._database.scan(
                "SELECT op, slot, tensor FROM op_output WHERE op BETWEEN ? AND ?", between
            )
        }
        found: list[tuple[int, TensorSpec, Health | None]] = []
        for op, kind, made, norm in rows:
            for slot, spec in enumerate(kinds.get(decode.whole(kind), UNKNOWN_KIND).outputs):
                quick = decode.maybe_real(norm) if slot == 0 else None
                tensor = slots.get((op, slot), decode.whole(made) + slot)
                found.append((tensor, spec, None if quick is None else Health(0, 0, quick)))
        health = self._health([tensor for tensor, _, quick in found if quick is None])
        return [Output(tensor, spec, quick or health.get(tensor)) for tensor, spec, quick in found]

    def _health(self, tensors: list[int]) -> dict[int, Health]:
        """The rows of `health` for some tensors."""
        found: dict[int, Health] = {}
        for start in range(0, len(tensors), _BATCH):
            part = tensors[start : start + _BATCH]
            for tensor, nan, inf, norm in self._database.rows(
                f"SELECT tensor, nan, inf, norm FROM health WHERE tensor IN ({','.join('?' * len(part))})",
                part,
            ):
                found[tensor] = Health(decode.whole(nan), decode.whole(inf), decode.maybe_real(norm))
        return found

    def edges(self, first: int, last: int) -> list[Edge]:
        """What each op from `first` to `last` took and made, in order."""
        rows = self._database.scan(
            "SELECT id, step, kind, stack, thread, tape, inputs_json, output FROM op"
            " WHERE id BETWEEN ? AND ? ORDER BY id",
            (first, last),
        )
        elsewhere: dict[int, dict[int, int]] = {}
        for op, slot, tensor in self._database.scan(
            "SELECT op, slot, tensor FROM op_output WHERE op BETWEEN ? AND ?", (first, last)
        ):
            elsewhere.setdefault(op, {})[slot] = decode.whole(tensor)
        tapes: dict[int, tuple[int, ...]] = {}
        for op, tape in self._database.scan(
            "SELECT op, tape FROM op_tape WHERE op BETWEEN ? AND ?", (first, last)
        ):
            tapes[op] = (*tapes.get(op, ()), decode.whole(tape))
        kinds = self._interned.kinds(decode.whole(row[2]) for row in rows)
        return [
            _edge(
                row,
                kinds.get(decode.whole(row[2]), UNKNOWN_KIND),
                elsewhere.get(row[0], {}),
                tapes.get(row[0], ()),
            )
            for row in rows
        ]

    def producer(self, tensor: int) -> int | None:
        """The op that made a tensor; None for one that no recorded op made."""
        op = self._producers.get(tensor)
        if op is None:
            op = self._find_producer(tensor)
            if op is not None:
                if len(self._producers) >= _PRODUCERS_KEPT:
                    self._producers = {}
                self._producers[tensor] = op
        return op

    def _find_producer(self, tensor: int) -> int | None:
        near = self.guess(tensor)
        if near is None:
            return None
        window = self._with_outputs("id BETWEEN ? AND ?", (near - _NEAR, near + _NEAR))
        found = self._maker(window, tensor)
        if found is not None:
            return found
        row = self._database.one("SELECT op FROM op_output WHERE tensor = ?", (tensor,))
        if row is not None:
            return decode.maybe_whole(row[0])
        if _in_order(window, near, tensor):
            return None
        return self._maker(self._with_outputs("output BETWEEN ? AND ?", (tensor - _NEAR, tensor)), tensor)

    def guess(self, tensor: int) -> int | None:
        """The op before which the outputs have lower ids and behind which they have higher ones."""
        ends = self.span()
        if not ends:
            return None
        low, high = ends[0], ends[-1]
        while low < high:
            middle = (low + high + 1) // 2
            probe = self._database.one(
                "SELECT id, output FROM op WHERE id BETWEEN ? AND ? AND output IS NOT NULL"
                " ORDER BY id DESC LIMIT 1",
                (low, middle),
            )
            if probe is None or decode.whole(probe[1]) <= tensor:
                low = middle
            else:
                high = min(probe[0], middle) - 1
        return low

    def _with_outputs(self, where: str, parameters: Sequence[int]) -> list[Row]:
        run = self._database.rows if where.startswith("id ") else self._database.scan
        return run(f"SELECT id, kind, output FROM op WHERE {where} AND output IS NOT NULL", parameters)

    def _maker(self, rows: list[Row], tensor: int) -> int | None:
        kinds = self._interned.kinds(decode.whole(row[1]) for row in rows)
        for op, kind, output in rows:
            count = len(kinds.get(decode.whole(kind), UNKNOWN_KIND).outputs)
            first = decode.whole(output)
            if first <= tensor < first + count and tensor in self._output_ids(op, first, count):
                return int(op)
        return None

    def consumers(self, tensor: int, first: int, last: int, limit: int) -> list[int]:
        """Ops from `first` to `last` that took a tensor, the earliest `limit` of them."""
        rows = self._database.scan(
            "SELECT id, inputs_json FROM op WHERE id BETWEEN ? AND ? AND instr(inputs_json, ?)",
            (first, last, str(tensor)),
        )
        taking = (op for op, inputs in rows if tensor in decode.ids(inputs))
        return [op for op, _ in zip(taking, range(limit), strict=False)]


def _in_order(window: list[Row], near: int, tensor: int) -> bool:
    """Whether the edges of a window leave no doubt that the tensor would have to be inside it."""
    edge = _NEAR // 4
    made = [decode.whole(row[2]) for row in window]
    rising = all(later > earlier for earlier, later in zip(made, made[edge:], strict=False))
    before = (decode.whole(row[2]) for row in window if row[0] <= near - edge)
    behind = (decode.whole(row[2]) for row in window if row[0] >= near + edge)
    return rising and all(i < tensor for i in before) and all(i > tensor for i in behind)


def _edge(row: Row, kind: Kind, elsewhere: dict[int, int], tapes: tuple[int, ...]) -> Edge:
    op, step, _, stack, thread, tape, inputs, output = row
    count = len(kind.outputs) if isinstance(output, int) else 0
    return Edge(
        op=op,
        step=decode.maybe_whole(step),
        type=kind.type,
        stack=decode.whole(stack),
        thread=decode.whole(thread),
        tapes=tapes if tape is None else (decode.whole(tape), *(other for other in tapes if other != tape)),
        inputs=decode.ids(inputs),
        outputs=tuple(elsewhere.get(slot, decode.whole(output) + slot) for slot in range(count)),
        dtypes=tuple(spec.dtype for spec in kind.outputs[:count]),
    )


def _unknown(op: int) -> OpRow:
    return OpRow(
        id=op, step=None, type=UNKNOWN_KIND.type, stack=0, path=NO_PLACE.path, line=NO_PLACE.line, thread=0,
        time_us=0, took_ns=0, tape=None, output=None, norm=None, bad=False, backward=False,
    )  # fmt: skip
