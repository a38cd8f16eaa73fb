"""Which ops ran on the way back: inside a call of `tape.gradient` or the like, on its thread."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate, pairwise

from tapeinspect.trace import decode
from tapeinspect.trace.database import Database


@dataclass(frozen=True, slots=True)
class Segment:
    """Neighbouring ops; those of `threads` among them ran on the way back."""

    first: int
    last: int
    threads: tuple[int, ...]


class BackwardSpans:
    """The ops of every gradient call, first and last included."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._spans: list[tuple[int, int, int]] = []
        """(first op, last op, thread), ordered."""
        self._reach: list[int] = []
        """The highest last op of each span and all before it."""
        self._last_call = 0
        self._open: list[int] = []
        """Calls that had not ended when they were read."""
        self._stale = True

    def expire(self) -> None:
        """Read the calls again when they are next needed."""
        self._stale = True

    def holds(self, op: int, thread: int) -> bool:
        """Whether an op of this thread ran on the way back."""
        self._load()
        at = bisect_right(self._spans, (op, 1 << 63, 0)) - 1
        while at >= 0 and self._reach[at] >= op:
            first, last, owner = self._spans[at]
            if first <= op <= last and owner == thread:
                return True
            at -= 1
        return False

    def segments(self, first: int, last: int) -> Iterator[Segment]:
        """The ops from `first` to `last` cut into pieces, in order, that do not overlap."""
        self._load()
        spans = [span for span in self._spans if span[0] <= last and span[1] >= first]
        cuts = {first, last + 1}
        for start, end, _ in spans:
            cuts.update((max(start, first), min(end, last) + 1))
        edges = sorted(cuts)
        active: list[tuple[int, int, int]] = []
        upcoming = 0
        for start, end in pairwise(edges):
            while upcoming < len(spans) and spans[upcoming][0] <= start:
                active.append(spans[upcoming])
                upcoming += 1
            active = [span for span in active if span[1] >= start]
            yield Segment(start, end - 1, tuple(sorted({span[2] for span in active})))

    def _load(self) -> None:
        if not self._stale:
            return
        marks = ",".join("?" * len(self._open))
        rows = self._database.rows(
            "SELECT g.id, g.first_op, g.last_op, coalesce(o.thread, t.thread) FROM gradient_call g"
            " LEFT JOIN op o ON o.id = g.first_op LEFT JOIN tape t ON t.id = g.tape"
            f" WHERE g.id > ? OR g.id IN ({marks})",
            (self._last_call, *self._open),
        )
        self._stale = False
        if not rows:
            return
        self._last_call = max(self._last_call, *(row[0] for row in rows))
        self._open = [row[0] for row in rows if row[1] is not None and row[2] is None][:500]
        self._spans += [
            (decode.whole(first), decode.whole(last), decode.whole(thread))
            for _, first, last, thread in rows
            if first is not None and last is not None
        ]
        self._spans.sort()
        self._reach = list(accumulate((span[1] for span in self._spans), max))
