"""The user's frames that a step is called from: which lines stand there, and by which names they know an object."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

Caller = tuple[str, int, int, tuple[str, ...]]
"""File, first line of the function (0: the module), line it is at, and names that are bound to the object."""


def frames(role: Callable[[str], str]) -> list[FrameType]:
    """The user's frames around this call, innermost first."""
    found = []
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        if role(frame.f_code.co_filename) == "user":
            found.append(frame)
        frame = frame.f_back
    return found


def callers(owner: Any, around: list[FrameType]) -> tuple[Caller, ...]:
    """The frames of the callers, with the names that an object has there; none when it has a name in none of them."""
    found = []
    for frame in around:
        local, code = frame.f_locals, frame.f_code
        names = {name for name, value in list(local.items()) if value is owner}
        names |= {n for n in code.co_names if n not in local and frame.f_globals.get(n) is owner}
        first = 0 if code.co_name == "<module>" else code.co_firstlineno
        found.append((code.co_filename, first, frame.f_lineno or 0, tuple(sorted(names))))
    return tuple(found) if any(names for *_, names in found) else ()
