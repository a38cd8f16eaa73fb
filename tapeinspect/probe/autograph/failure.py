"""What a trace failed with, in the user's terms: the line, the translated stack, and what the error means."""

from __future__ import annotations

import json
import linecache
import traceback
from collections.abc import Callable
from types import CodeType
from typing import Any

from tapeinspect.meanings import meaning
from tapeinspect.probe import failures, tf_autograph
from tapeinspect.probe.autograph.watch import Seen
from tapeinspect.probe.code import known_as
from tapeinspect.source import Source


def row(
    error: BaseException, run: int, seen: Seen, role: Callable[[str], str], code: CodeType
) -> tuple[Any, ...]:
    """The row of the table `ag_failure`; `code`: of what was traced."""
    frames = _frames(error, seen, role)
    own = next((frame for frame in reversed(frames) if frame["user"]), None)
    name, message = type(error).__name__, message_of(error)
    file, line, function, converted = code.co_filename, code.co_firstlineno, code.co_name, True
    if own is not None:
        file, line, function, converted = own["file"], own["line"], own["function"], own["converted"]
    return (
        run,
        name,
        message,
        known_as(file),
        line,
        function,
        json.dumps([{**frame, "file": known_as(frame["file"])} for frame in frames]),
        *explain(name, message, file, line, converted),
    )


def place(error: BaseException, seen: Seen, role: Callable[[str], str]) -> tuple[str, int] | None:
    """The user's line that a trace failed in."""
    own = [frame for frame in _frames(error, seen, role) if frame["user"]]
    return (own[-1]["file"], own[-1]["line"]) if own else None


def message_of(error: BaseException) -> str:
    """The message without the stack that AutoGraph puts before it."""
    metadata = getattr(error, "ag_error_metadata", None)
    message = getattr(metadata, "cause_message", None) or str(error)
    return str(message).removeprefix(f"{type(error).__name__}: ").strip()


def explain(
    name: str, message: str, path: str = "", line: int = 0, converted: bool = True
) -> tuple[str, str]:
    """(what it means, what to do); empty when it is not one of the errors that tracing is known for.

    path, line: where it was raised; converted: AutoGraph converts that code.
    """
    statement = Source("".join(linecache.getlines(path))).statement(line)
    found = meaning(name, " ".join(message.split()), statement, converted)
    return (found.traced, found.fix) if found is not None else ("", "")


def _frames(error: BaseException, seen: Seen, role: Callable[[str], str]) -> list[dict[str, Any]]:
    translated = tf_autograph.translated_frames(error)
    if not translated:
        failures.strip(error)
        translated = [
            (frame.f_code.co_filename, line, frame.f_code.co_name, "", False)
            for frame, line in traceback.walk_tb(error.__traceback__)
        ]
    return [_frame(*entry, seen, role) for entry in translated]


def _frame(
    path: str, line: int, function: str, code: str, converted: bool, seen: Seen, role: Callable[[str], str]
) -> dict[str, Any]:
    place = seen.original(path, line)
    if place is not None:
        path, line = place
    return {
        "file": path,
        "line": line,
        "function": (function or "").removeprefix("tf__"),
        "code": (code or linecache.getline(path, line or 0)).strip(),
        "user": converted or role(path) == "user",
        "converted": converted,
    }
