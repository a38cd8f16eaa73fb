"""Writing a trace file, inside the target: fast, one transaction a step, readable at any moment."""

from __future__ import annotations

import contextlib
import json
import math
import os
import sqlite3
from collections.abc import Iterable, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, Final

from tapeinspect.errors import TraceError, TraceFullError, UsageError
from tapeinspect.trace import schema
from tapeinspect.trace.room import Room

PAGE_SIZE: Final = 4096
WAL_PAGES: Final = 2048
"""Pages in the write-ahead log before they are moved into the file."""

# Ids of these are handed out once; a row of any other table may be written anew with more in it.
_WRITTEN_ONCE: Final = frozenset({"op", "tape_event", "probe_error"})

_BAD_ROW: Final = (sqlite3.ProgrammingError, sqlite3.InterfaceError, sqlite3.IntegrityError)

_BATCH: Final = 16
"""Rows of `op` in one statement: a third less time than one by one."""


class TraceWriter:
    """A trace file being written. Not safe to use from two threads at once: the caller serialises.

    In a forked child every method does nothing, since the file belongs to the parent.
    Raises UsageError when the file cannot be made, TraceFullError when it cannot be written any further.
    """

    def __init__(self, path: str | Path, max_size: int | None = None) -> None:
        self.path = Path(path).resolve()
        self._parts = (str(self.path), f"{self.path}-wal")
        self._pid = os.getpid()
        self._full: TraceFullError | None = None
        self._inserts = {table: _insert_statement(table) for table in schema.TABLES}
        _make_empty(self.path)
        try:
            self._connection: sqlite3.Connection | None = _connect(self.path)
        except sqlite3.Error as error:
            raise UsageError(f"cannot write {self.path}: {error}") from None
        self._room = Room(self._connection, max_size, PAGE_SIZE * WAL_PAGES) if max_size else None

    def insert(self, table: str, rows: Iterable[Sequence[Any]]) -> None:
        """Add rows, each with all columns of the table in the order of the schema.

        A row whose primary key is there already takes its place (not in `op`). Values are int, float, str,
        bytes or None; NumPy's numbers are not. Raises TraceError for a row that does not fit.
        """
        if table == "step":
            rows = [_step_with_nan_loss(row) for row in rows]
        elif table == "op":
            self.insert_flat(table, list(chain.from_iterable(rows)))
            return
        self._run(self._inserts[table], rows, many=True)

    def insert_flat(self, table: str, values: list[Any]) -> None:
        """Add rows given one after the other in a flat list, many with one statement: the fastest way."""
        width = len(schema.column_names(table))
        batch = width * _BATCH
        whole = len(values) - len(values) % batch
        one = self._inserts[table]
        if whole:
            many = one + f", ({', '.join('?' * width)})" * (_BATCH - 1)
            in_order = iter(values if whole == len(values) else values[:whole])
            self._run(many, zip(*[in_order] * batch, strict=True), many=True)
        if whole < len(values):
            rest = iter(values[whole:])
            self._run(one, zip(*[rest] * width, strict=True), many=True)

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> None:
        """Run one statement that changes rows."""
        self._run(sql, parameters, many=False)

    def set_meta(self, **values: Any) -> None:
        """Set facts of the whole run; each value is written as JSON."""
        self.insert("meta", [(key, json.dumps(value)) for key, value in values.items()])

    def commit(self) -> None:
        """Make everything so far visible to readers; drop what is oldest when the file is too big."""
        connection = self._usable()
        if connection is None or not connection.in_transaction:
            return
        try:
            connection.execute("COMMIT")
            if self._room is not None:
                self._room.keep(self.size())
        except TraceFullError as error:
            self._full = error
            raise
        except sqlite3.Error as error:
            raise self._failed(error) from None

    def size(self) -> int:
        """Bytes of the file and of what waits beside it to be moved into it."""
        return sum(map(_file_size, self._parts))

    def close(self) -> None:
        """Commit, and leave one file that can be copied, unless a reader still holds it open (see `settle`).

        Never raises: what could be written is written.
        """
        connection, self._connection = self._connection, None
        if connection is None or os.getpid() != self._pid:
            return
        with contextlib.suppress(sqlite3.Error):
            if connection.in_transaction:
                connection.execute("COMMIT" if self._full is None else "ROLLBACK")
        _fold(connection)
        connection.close()

    def _run(self, sql: str, parameters: Any, many: bool) -> None:
        connection = self._usable()
        if connection is None:
            return
        try:
            if not connection.in_transaction:
                connection.execute("BEGIN")
            if many:
                connection.executemany(sql, parameters)
            else:
                connection.execute(sql, parameters)
        except (sqlite3.Error, OverflowError, ValueError) as error:
            raise self._failed(error) from None

    def _usable(self) -> sqlite3.Connection | None:
        if os.getpid() != self._pid:
            return None
        if self._full is not None:
            raise self._full
        if self._connection is None:
            raise TraceError(f"{self.path} has been closed")
        return self._connection

    def _failed(self, error: Exception) -> TraceError | TraceFullError:
        """The error to raise. Once the file takes no more, what was committed stays and writing is over."""
        if not isinstance(error, sqlite3.Error) or isinstance(error, _BAD_ROW):
            return TraceError(f"a row does not fit {self.path}: {error}")
        self._full = TraceFullError(
            f"the recording {self.path} cannot be written any further: {error}",
            "What was recorded so far is kept. Free some disk space or name another place with --output.",
        )
        if self._connection is not None and self._connection.in_transaction:
            with contextlib.suppress(sqlite3.Error):
                self._connection.execute("ROLLBACK")
        return self._full


def settle(path: str | Path) -> bool:
    """Make one file of a recording whose writer is gone, with what was left beside it; False if it cannot be.

    For the end of a session, when the last reader has closed, and for a recording cut off by `kill -9`.
    """
    path = Path(path)
    if not is_trace(path):
        return False
    try:
        uri = f"{path.resolve().as_uri()}?mode=rw"
        connection = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=0.2)
    except sqlite3.Error:
        return False
    try:
        return _fold(connection)
    finally:
        connection.close()


def is_trace(path: Path) -> bool:
    """Whether a file begins like a trace file."""
    try:
        with open(path, "rb") as file:
            head = file.read(100)
    except OSError:
        return False
    application = int.from_bytes(head[68:72], "big")
    return head.startswith(b"SQLite format 3\0") and application == schema.APPLICATION_ID


def _fold(connection: sqlite3.Connection) -> bool:
    """Move the log into the file and do away with it; False while another process has the file open."""
    try:
        connection.execute("PRAGMA busy_timeout = 200")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        mode = connection.execute("PRAGMA journal_mode = DELETE").fetchone()
    except sqlite3.Error:
        return False
    return bool(mode == ("delete",))


def _make_empty(path: Path) -> None:
    """Put an empty trace file at the path in one move, so that a reader never sees half of one."""
    if path.exists() and not (path.is_file() and (path.stat().st_size == 0 or is_trace(path))):
        hint = "Name another file with --output."
        raise UsageError(f"{path} is there already and is not a recording", hint)
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        fresh.unlink(missing_ok=True)
        connection = sqlite3.connect(fresh, isolation_level=None)
        try:
            for statement in (f"PRAGMA page_size = {PAGE_SIZE}", "PRAGMA synchronous = OFF", "BEGIN"):
                connection.execute(statement)
            for statement in schema.statements():
                connection.execute(statement)
            connection.execute("COMMIT")
            connection.execute("PRAGMA journal_mode = WAL").fetchall()
        finally:
            connection.close()
        # A log left by an earlier recording of this name would be replayed into the new file.
        for suffix in ("-wal", "-shm", "-journal"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)
        # A file in log mode that has no log looks finished to a reader that comes now.
        path.with_name(path.name + "-wal").touch()
        os.replace(fresh, path)
    except (OSError, sqlite3.Error) as error:
        with contextlib.suppress(OSError):
            fresh.unlink(missing_ok=True)
        hint = "Name another place with --output."
        raise UsageError(f"cannot write {path}: {_why(error, path)}", hint) from None


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=2.0)
    for statement in (
        "PRAGMA journal_mode = WAL",
        "PRAGMA synchronous = OFF",
        f"PRAGMA wal_autocheckpoint = {WAL_PAGES}",
        f"PRAGMA journal_size_limit = {PAGE_SIZE * WAL_PAGES}",
        "PRAGMA cache_size = -16384",
        "PRAGMA temp_store = MEMORY",
    ):
        connection.execute(statement).fetchall()
    return connection


def _insert_statement(table: str) -> str:
    columns = schema.column_names(table)
    verb = "INSERT" if table in _WRITTEN_ONCE else "INSERT OR REPLACE"
    return f"{verb} INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"


_LOSS: Final = schema.column_names("step").index("loss")


def _step_with_nan_loss(row: Sequence[Any]) -> Sequence[Any]:
    """The row with a NaN loss as text: SQLite has no NaN and would store it as null, which means unknown."""
    loss = row[_LOSS]
    if isinstance(loss, float) and math.isnan(loss):
        return (*row[:_LOSS], "nan", *row[_LOSS + 1 :])
    return row


def _file_size(path: str) -> int:
    try:
        return os.stat(path).st_size
    except OSError:
        return 0


def _why(error: Exception, path: Path) -> str:
    if not path.parent.is_dir():
        return f"there is no directory {path.parent}"
    if not os.access(path.parent, os.W_OK):
        return f"no permission to write in {path.parent}"
    return error.strerror or str(error) if isinstance(error, OSError) else str(error)
