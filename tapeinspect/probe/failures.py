"""An exception that ended the script: recorded, and shown as without us."""

from __future__ import annotations

import json
import linecache
import os
import sys
import traceback
from collections.abc import Callable
from types import TracebackType
from typing import Any

_OURS = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep


def strip(error: BaseException) -> None:
    """Take our frames out of an exception's traceback, and out of those it came from."""
    seen: set[int] = set()
    pending: list[BaseException | None] = [error]
    while pending:
        current = pending.pop()
        if current is None or id(current) in seen:
            continue
        seen.add(id(current))
        current.__traceback__ = _without_ours(current.__traceback__)
        pending += [current.__cause__, current.__context__]


def _without_ours(tb: TracebackType | None) -> TracebackType | None:
    while tb is not None and _ours(tb):
        tb = tb.tb_next
    head = tb
    while tb is not None:
        after = tb.tb_next
        while after is not None and _ours(after):
            after = after.tb_next
        tb.tb_next = after
        tb = after
    return head


def _ours(tb: TracebackType) -> bool:
    return tb.tb_frame.f_code.co_filename.startswith(_OURS)


def row(error: BaseException, step: int | None, role: Callable[[str], str]) -> tuple[Any, ...]:
    """The row of the table `error` for an exception."""
    strip(error)
    frames = [
        {
            "file": path,
            "line": line,
            "function": frame.f_code.co_name,
            "code": linecache.getline(path, line or 0).strip(),
            "user": role(path) != "library",
        }
        for frame, line in traceback.walk_tb(error.__traceback__)
        for path in (frame.f_code.co_filename,)
    ]
    own = next((f for f in reversed(frames) if f["user"]), None)
    file, line = (own["file"], own["line"]) if own else (None, None)
    if isinstance(error, SyntaxError) and error.filename:
        file, line = error.filename, error.lineno
    name = type(error).__name__
    return (1, name, _message(error), file, line, step, json.dumps(frames))


def _message(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # a message that cannot be made must not cost the rest
        return "<no message>"


def strip_when_uncaught() -> None:
    """An exception is on its way through one of our functions: leave it out should nobody catch the exception."""
    previous = sys.excepthook
    if previous is not sys.__excepthook__:
        return

    def hook(cls: type[BaseException], error: BaseException, tb: TracebackType | None) -> None:
        strip(error)
        previous(cls, error, error.__traceback__)

    sys.excepthook = hook


def last() -> BaseException | None:
    """The exception that ended the script: Python keeps it before it prints it."""
    found = getattr(sys, "last_value", None)
    return found if isinstance(found, BaseException) else None
