"""Keeping a trace file within its size: the oldest values go first, then the oldest ops."""

from __future__ import annotations

import json
import sqlite3
from typing import Final

from tapeinspect.errors import TraceFullError

_SHARE: Final = 0.05
"""How much of the limit is freed at once: little enough not to hold up a step, enough to last for many."""


class Room:
    """The size limit of one trace file. `log`: bytes that the write-ahead log may reach beside it."""

    def __init__(self, connection: sqlite3.Connection, max_size: int, log: int) -> None:
        self._connection = connection
        self._max_size = max_size
        log = min(log, max_size // 4)
        self._limit = max_size - log
        self._page_size = self._number("PRAGMA page_size")
        connection.execute(f"PRAGMA wal_autocheckpoint = {max(1, log // self._page_size // 2)}").fetchall()
        connection.execute(f"PRAGMA journal_size_limit = {log}").fetchall()

    def keep(self, size: int) -> None:
        """Drop what is oldest when the file has outgrown the limit; steps, gradients and variables stay.

        `size`: bytes of the file and its log. Pages that become free are used again, so the file stops
        growing. Raises TraceFullError when there is nothing left to drop.
        """
        if size <= self._limit:  # no need to ask how much of it is used
            return
        if size > self._max_size:
            self._empty_log()
        if self._used() <= self._limit:
            return
        goal = self._limit - int(_SHARE * self._max_size)
        self._connection.execute("BEGIN")
        while self._used() > goal and (self._drop_values(goal) or self._drop_ops(goal)):
            pass
        self._connection.execute("COMMIT")
        self._empty_log()
        if self._used() > self._limit:
            message = f"the recording reached its size limit of {self._max_size:,} bytes"
            raise TraceFullError(message, "Raise it with --max-size.")

    def _empty_log(self) -> None:
        self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def _used(self) -> int:
        """Bytes of pages in use, those still in the log included."""
        pages = self._number("PRAGMA page_count") - self._number("PRAGMA freelist_count")
        return pages * self._page_size

    def _drop_values(self, goal: int) -> bool:
        over = self._used() - goal
        last = None
        sizes = self._connection.execute("SELECT tensor, length(data) FROM value ORDER BY tensor")
        for tensor, size in sizes:
            last = tensor
            over -= size
            if over <= 0:
                break
        if last is None:
            return False
        self._connection.execute("DELETE FROM value WHERE tensor <= ?", (last,))
        return True

    def _drop_ops(self, goal: int) -> bool:
        first, last = self._connection.execute(
            "SELECT (SELECT min(id) FROM op), (SELECT max(id) FROM op)"
        ).fetchone()
        if first is None:
            return False
        used = self._used()
        count = max(1, min(last - first + 1, int((last - first + 1) * (used - goal) / used) + 1))
        cut = self._end_of_step(first + count - 1)
        kept = self._connection.execute(
            "SELECT output FROM op WHERE id > ? AND output IS NOT NULL ORDER BY id LIMIT 1", (cut,)
        ).fetchone()
        for sql in (
            "DELETE FROM op WHERE id <= ?",
            "DELETE FROM op_output WHERE op <= ?",
            "DELETE FROM op_tape WHERE op <= ?",
            "DELETE FROM health WHERE abs(op) <= ?",
            "DELETE FROM origin WHERE op <= ?",
            "DELETE FROM backward WHERE first_op <= ?",
            "DELETE FROM gradient_sum WHERE first_op <= ?",
        ):
            self._connection.execute(sql, (cut,))
        if kept is not None:  # tensors are numbered in the order they are made
            self._connection.execute("DELETE FROM stats WHERE tensor < ?", kept)
        self._connection.execute(
            "INSERT OR REPLACE INTO meta VALUES ('dropped_ops_before', ?)", (json.dumps(cut + 1),)
        )
        return True

    def _end_of_step(self, cut: int) -> int:
        """The end of the step that `cut` falls into; `cut` itself when it still runs or there is none."""
        row = self._connection.execute(
            "SELECT last_op FROM step WHERE first_op <= ? AND last_op >= ? ORDER BY id LIMIT 1", (cut, cut)
        ).fetchone()
        return int(row[0]) if row else cut

    def _number(self, pragma: str) -> int:
        return int(self._connection.execute(pragma).fetchone()[0])
