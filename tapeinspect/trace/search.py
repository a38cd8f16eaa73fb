"""Scans over all ops: the ids that a filter lets through, and what each line of code cost."""

from __future__ import annotations

import threading
from array import array
from collections.abc import Sequence

from tapeinspect.trace import decode
from tapeinspect.trace.database import Database
from tapeinspect.trace.filters import Condition, Vocabulary
from tapeinspect.trace.ops import Ops
from tapeinspect.trace.records import LineCost, OpFilter, Step
from tapeinspect.trace.spans import BackwardSpans

_LAST_OP = (1 << 63) - 1


class Search:
    """Filters and sums over the table `op`, without keeping more of it than ids."""

    def __init__(self, database: Database, vocabulary: Vocabulary, ops: Ops, backward: BackwardSpans) -> None:
        self._database = database
        self._vocabulary = vocabulary
        self._ops = ops
        self._backward = backward
        self._lock = threading.Lock()
        self._costs: dict[int, LineCost] = {}
        """By stack, over the ops up to `_costs_until`."""
        self._costs_until = 0

    def ids(self, filter: OpFilter, step: Step | None) -> Sequence[int]:
        """Ids of the ops that pass, in order; a range when that says it all. `step`: the filter's."""
        span = self._ops.span()
        condition = Condition()
        if step is not None:
            last = step.last_op if step.last_op is not None else span.stop - 1
            whole = step.last_op is not None and step.ops == last - step.first_op + 1
            span = range(max(span.start, step.first_op), min(span.stop, last + 1))
            if not whole:
                condition.add("step = ?", step.id)
        if not span:
            return span
        self._vocabulary.narrow(condition, filter)
        if filter.recorded is not None:
            condition.add("tape IS NOT NULL" if filter.recorded else "tape IS NULL")
        if filter.bad:
            condition.add("id IN (SELECT op FROM health WHERE nan > 0 OR inf > 0)")
        if filter.tensor is not None:
            candidates = self._around(filter.tensor, span)
            condition.add("id IN (SELECT value FROM json_each(?))", f"[{','.join(map(str, candidates))}]")
        if condition.empty:
            return array("q")
        if filter.backward is not None:
            return self._split(condition, span, filter.backward)
        return self._select(condition, span) if condition.clauses else span

    def _select(self, condition: Condition, span: range) -> array[int]:
        return self._database.ids("op", condition.where(), condition.parameters, span)

    def _split(self, condition: Condition, span: range, backward: bool) -> array[int]:
        """The ops inside of gradient calls, or those outside."""
        ids = array("q")
        for segment in self._backward.segments(span.start, span.stop - 1):
            part = Condition(list(condition.clauses), list(condition.parameters))
            if segment.threads:
                marks = ",".join("?" * len(segment.threads))
                part.add(f"thread {'IN' if backward else 'NOT IN'} ({marks})", *segment.threads)
            elif backward:
                continue
            ids.extend(self._select(part, range(segment.first, segment.last + 1)))
        return ids

    def _around(self, tensor: int, span: range) -> list[int]:
        """The ops that make or take a tensor."""
        producer = self._ops.producer(tensor)
        taking = self._ops.consumers(tensor, producer or span.start, span.stop - 1, len(span))
        return taking if producer is None else [producer, *taking]

    def line_costs(self, file: int, step: Step | None) -> dict[int, LineCost]:
        """What each line of a file ran: an op counts once for each line that has a frame on its stack."""
        self._vocabulary.refresh()
        costs: dict[int, LineCost] = {}
        for stack, cost in (self._all_costs() if step is None else self._step_costs(step)).items():
            for line in self._vocabulary.lines_of(stack, file):
                costs[line] = _plus(costs.get(line), cost.ops, cost.took_ns)
        return costs

    def _step_costs(self, step: Step) -> dict[int, LineCost]:
        last = _LAST_OP if step.last_op is None else step.last_op
        rows = self._database.scan(
            "SELECT stack, count(*), total(took_ns) FROM op"
            " WHERE id BETWEEN ? AND ? AND step = ? GROUP BY stack",
            (step.first_op, last, step.id),
        )
        return {decode.whole(stack): LineCost(ops, int(took)) for stack, ops, took in rows}

    def stacks(self, step: Step) -> list[int]:
        """The stacks that the ops of a step ran on."""
        return sorted(self._step_costs(step))

    def _all_costs(self) -> dict[int, LineCost]:
        """Costs by stack over the whole recording; only what came since the last call is read."""
        with self._lock:
            rows = self._database.scan(
                "SELECT stack, count(*), total(took_ns), max(id) FROM op WHERE id > ? GROUP BY stack",
                (self._costs_until,),
            )
            for stack, ops, took, last in rows:
                key = decode.whole(stack)
                self._costs[key] = _plus(self._costs.get(key), ops, int(took))
                self._costs_until = max(self._costs_until, last)
            return dict(self._costs)


def _plus(cost: LineCost | None, ops: int, took_ns: int) -> LineCost:
    return LineCost(ops, took_ns) if cost is None else LineCost(cost.ops + ops, cost.took_ns + took_ns)
