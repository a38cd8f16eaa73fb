"""Ops and other rows on their way into the trace file.

Ops gather in a flat list: few new objects, so little work for the garbage collector. They are written at the end of
each step, or ten times a second.
"""

from __future__ import annotations

import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

from tapeinspect.errors import TapeinspectError
from tapeinspect.probe.code import CodeTable
from tapeinspect.probe.gradients import VariableTable
from tapeinspect.probe.sites import Site, SiteTable
from tapeinspect.trace.writer import TraceWriter

STEP, THREAD, TOOK, TAPE, OUTPUT, NORM, WIDTH = 1, 4, 6, 7, 9, 10, 11
"""Where things are among the entries that the buffer has for each op: the columns of the table `op`, in order."""
FLUSH_NS = 100_000_000
_RECENT = 4096
"""How many written ops are known at least."""
_Written: TypeAlias = tuple[list[int], list[Site], list[int]]
"""Ids, sites and threads of ops."""


class Sink:
    """What waits to be written. The caller serialises."""

    def __init__(
        self, writer: TraceWriter, code: CodeTable, sites: SiteTable, variables: VariableTable
    ) -> None:
        self.writer = writer
        self.buffer: list[Any] = []
        self.sites: list[Site] = []
        """The site of each op in the buffer."""
        self.count = 0
        """Ops recorded, written or not."""
        self.written = 0
        """Ops in the file."""
        self.due = time.perf_counter_ns() + FLUSH_NS
        self.before_flush: Callable[[], None] = lambda: None
        """Called while the buffer still holds the ops that are about to be written."""
        self.failed: Callable[[TapeinspectError], None] = lambda error: None
        """Called when the file takes no more."""
        self._code = code
        self._kinds = sites.kinds
        self._variables = variables
        self._pending: defaultdict[str, list[tuple[Any, ...]]] = defaultdict(list)
        self._ids: Counter[str] = Counter()
        self._recent: deque[_Written] = deque()
        """Ops that are written and still known: a tape may tell that they are the begin of a step."""
        self._counts: Counter[int | None] = Counter()
        self.newest_written = 0
        """The newest output of an op that is written."""
        self._threads: set[int] = set()
        """Threads that ops were written of."""

    def next_op(self) -> int:
        """The id of the next op."""
        return self.count + 1

    def next_id(self, table: str, count: int = 1) -> int:
        """The first of so many fresh ids of a table."""
        first = self._ids[table] + 1
        self._ids[table] += count
        return first

    def newest_output(self) -> int:
        """The id of the tensor that was made last by an op; 0 before the first."""
        for at in range(len(self.sites) - 1, -1, -1):
            first = self.buffer[at * WIDTH + OUTPUT]
            if first is not None:
                return int(first) + self.sites[at].n_outputs - 1
        return self.newest_written

    def outputs(self) -> set[int]:
        """The ids of the tensors that the ops which wait to be written have made."""
        firsts = zip(self.buffer[OUTPUT::WIDTH], self.sites, strict=True)
        return {first + slot for first, site in firsts if first is not None for slot in range(site.n_outputs)}

    def add(self, table: str, *rows: tuple[Any, ...]) -> None:
        """Rows to be written with the next flush."""
        self._pending[table].extend(rows)

    def recent(self, thread: int) -> Iterator[tuple[int, Site]]:
        """(op id, site) of the ops of a thread, the newest first, as far back as they are remembered."""
        for ops, sites, threads in (self._waiting(), *reversed(self._recent)):
            for op, site, of_thread in zip(reversed(ops), reversed(sites), reversed(threads), strict=True):
                if of_thread == thread:
                    yield op, site

    def _waiting(self) -> _Written:
        return self.buffer[0::WIDTH], self.sites[:], self.buffer[THREAD::WIDTH]

    def assign(self, thread: int, first: int, step: int) -> None:
        """The ops of a thread from `first` on belong to a step."""
        buffer = self.buffer
        for i in range(max(0, first - self.written - 1) * WIDTH, len(buffer), WIDTH):
            if buffer[i + THREAD] == thread:
                buffer[i + STEP] = step
        if first <= self.written:
            one_thread = self._threads == {thread}
            recent = ((op, t) for ops, _, threads in self._recent for op, t in zip(ops, threads, strict=True))
            late = sum(1 for op, t in recent if op >= first and t == thread)
            self._counts[step] += self.written - first + 1 if one_thread else late
            self._run("UPDATE op SET step = ? WHERE id >= ? AND thread = ?", (step, first, thread))

    def set_tape(self, op: int, tape: int) -> None:
        """An op was recorded by a tape after all."""
        if op > self.written:
            self.buffer[(op - self.written - 1) * WIDTH + TAPE] = tape
        else:
            self._run("UPDATE op SET tape = ? WHERE id = ?", (tape, op))

    def ops_of(self, step: int) -> int:
        """How many ops a step has."""
        return self._counts[step] + self.buffer[STEP::WIDTH].count(step)

    def flush(self) -> None:
        """Write and commit everything so far."""
        try:
            self._write()
            self.writer.commit()
        except TapeinspectError as error:
            self.failed(error)
        self.due = time.perf_counter_ns() + FLUSH_NS

    def _write(self) -> None:
        self.before_flush()
        rows = self._code.rows
        waiting = {
            "file": rows.file,
            "frame": rows.frame,
            "stack": rows.stack,
            "kind": self._kinds.rows,
        }
        for table, found in (*waiting.items(), ("variable", self._variables.rows)):
            if found:
                self.writer.insert(table, found)
                found.clear()
        self._write_ops()
        for table, found in self._pending.items():
            if found:
                self.writer.insert(table, found)
                found.clear()

    def _write_ops(self) -> None:
        buffer = self.buffer
        if not buffer:
            return
        self._recent.append(self._waiting())
        known = sum(len(ops) for ops, _, _ in self._recent)
        while known - len(self._recent[0][0]) >= _RECENT:
            known -= len(self._recent.popleft()[0])
        self._counts.update(buffer[STEP::WIDTH])
        self._threads.update(buffer[THREAD::WIDTH])
        self.newest_written = self.newest_output()
        self.writer.insert_flat("op", buffer)
        self.written = self.count
        buffer.clear()
        self.sites.clear()

    def _run(self, sql: str, parameters: tuple[Any, ...]) -> None:
        try:
            self.writer.execute(sql, parameters)
        except TapeinspectError as error:
            self.failed(error)
