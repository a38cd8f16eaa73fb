"""A trace file opened for reading: checked, never written, safe to use while another process writes it."""

from __future__ import annotations

import json
import os
import sqlite3
import threading
from array import array
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tapeinspect.errors import NewerFormatError, TraceError
from tapeinspect.trace import schema

Row = tuple[Any, ...]
Parameters = Sequence[Any] | dict[str, Any]

_HEADER = 100
_ERRORS = (sqlite3.Error, UnicodeDecodeError, OverflowError)
"""What sqlite3 raises: an error's text may hold bytes of a damaged file, a number may not fit 64 bits."""

_CACHE_KIB = 8192
_IDS = 100_000
"""Ids fetched at a time."""


class Database:
    """Queries over one trace file. Every error is a TraceError.

    Two connections: one for what a screen waits for, one for whole scans, so that a scan in another thread
    never holds up the screen. Each has its lock, and none keeps a transaction open, which would stop the
    writer from emptying its log.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._uri = _uri(path)
        self._lock = threading.RLock()
        self._scan_lock = threading.RLock()
        self._closed = False
        self.tables: frozenset[str] = frozenset()
        """The tables that the file has."""
        self._scanner: sqlite3.Connection | None = None
        self._connection = self._connect()
        try:
            self._check_format()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the file; later queries raise TraceError."""
        with self._lock, self._scan_lock:
            self._closed = True
            for connection in (self._connection, self._scanner):
                if connection is not None:
                    connection.close()

    def rows(self, sql: str, parameters: Parameters = ()) -> list[Row]:
        """All rows of a query that gives few."""
        with self._lock:
            try:
                return self._connection.execute(sql, parameters).fetchall()
            except _ERRORS as error:
                raise self._failure(error) from None

    def one(self, sql: str, parameters: Parameters = ()) -> Row | None:
        """The first row of a query."""
        rows = self.rows(sql, parameters)
        return rows[0] if rows else None

    def version(self) -> int:
        """A number that changes whenever another process has committed something."""
        row = self.one("PRAGMA data_version")
        return int(row[0]) if row else 0

    def ids(self, table: str, where: str, parameters: Sequence[Any], span: range) -> array[int]:
        """The ids within a range of the rows of a table that hold a condition, in order."""
        # One text of many ids takes half the time of as many rows, and leaves Python's lock alone meanwhile.
        sql = (
            "SELECT group_concat(id), count(*), max(id) FROM"
            f" (SELECT id FROM {table} WHERE id BETWEEN ? AND ? AND {where} ORDER BY id LIMIT {_IDS})"
        )
        ids = array("q")
        first = span.start
        while first < span.stop:
            text, count, last = self.scan(sql, (first, span.stop - 1, *parameters))[0]
            if text:
                ids.extend(json.loads(f"[{text}]"))
            if count < _IDS:
                break
            first = last + 1
        return ids

    def scan(self, sql: str, parameters: Parameters = ()) -> list[Row]:
        """All rows of a query that reads a great part of the file."""
        with self._scan_lock:
            try:
                return self._scan(sql, parameters).fetchall()
            except _ERRORS as error:
                raise self._failure(error) from None

    def _scan(self, sql: str, parameters: Parameters) -> sqlite3.Cursor:
        if self._scanner is None:
            if self._closed:
                raise TraceError(f"{self.path} has been closed")
            self._scanner = self._connect()
        return self._scanner.execute(sql, parameters)

    def _connect(self) -> sqlite3.Connection:
        try:
            connection = sqlite3.connect(
                self._uri, uri=True, isolation_level=None, check_same_thread=False, timeout=5.0
            )
            connection.text_factory = _text
            for pragma in (
                "query_only = ON",
                "trusted_schema = OFF",
                f"cache_size = -{_CACHE_KIB}",
                "temp_store = MEMORY",
            ):
                connection.execute(f"PRAGMA {pragma}").fetchall()
            return connection
        except _ERRORS as error:
            raise self._failure(error) from None

    def _check_format(self) -> None:
        (application,) = self.one("PRAGMA application_id") or (0,)
        (version,) = self.one("PRAGMA user_version") or (0,)
        if application != schema.APPLICATION_ID or version < 1:
            raise TraceError(f"{self.path} is an SQLite database, but not a recording")
        if version > schema.FORMAT:
            formats = f"format {version}, this one reads up to {schema.FORMAT}"
            message = f"{self.path} was written by a newer tapeinspect ({formats})"
            raise NewerFormatError(message, "Update tapeinspect to open it.")
        tables = {name for (name,) in self.rows("SELECT name FROM sqlite_master WHERE type = 'table'")}
        self.tables = frozenset(tables)
        for table in schema.TABLES:
            if table not in tables and table not in schema.OPTIONAL:
                raise TraceError(f"{self.path} is damaged: its table {table!r} is missing")

    def _failure(self, error: Exception) -> TraceError:
        if self._closed:
            return TraceError(f"{self.path} has been closed")
        if "unable to open" in str(error) or "readonly" in str(error):
            hint = "Copy it, with the file that ends in -wal beside it, into a directory you can write in."
            return TraceError(f"{self.path} cannot be opened: {error}", hint)
        if "locked" in str(error):
            return TraceError(f"{self.path} is locked by another program")
        return TraceError(f"{self.path} is damaged: {error}", "It may have been cut off while it was copied.")


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def _uri(path: Path) -> str:
    """The name to open a file by, once its first bytes look right."""
    head, size = _read_head(path)
    if size == 0:
        raise TraceError(f"{path} is empty")
    if not head.startswith(b"SQLite format 3\0"[: len(head)]):
        raise TraceError(f"{path} is not a recording")
    log = path.with_name(path.name + "-wal")
    log_size = log.stat().st_size if log.is_file() else 0
    page_size = int.from_bytes(head[16:18], "big")
    wanted = max(_HEADER, (65536 if page_size == 1 else page_size) * int.from_bytes(head[28:32], "big"))
    if size < wanted and (len(head) < _HEADER or not log_size):
        raise TraceError(f"{path} is cut off: {size:,} of {wanted:,} bytes are there", "Copy it again.")
    # A file in log mode that has no log has no writer; without `immutable` SQLite would make a log.
    alone = (
        head[18:19] == b"\2" and not log_size and (not log.exists() or not os.access(path.parent, os.W_OK))
    )
    return f"{path.absolute().as_uri()}?mode=ro{'&immutable=1' if alone else ''}"


def _read_head(path: Path) -> tuple[bytes, int]:
    try:
        if path.is_dir():
            raise TraceError(f"{path} is a directory, not a recording")
        if path.exists() and not path.is_file():
            raise TraceError(f"{path} is not a regular file")
        with open(path, "rb") as file:
            return file.read(_HEADER), os.fstat(file.fileno()).st_size
    except FileNotFoundError:
        raise TraceError(f"there is no file {path}") from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise TraceError(f"{path} cannot be read: {reason}") from None
