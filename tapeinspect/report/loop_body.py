"""A loop's body that was looked at as a function, as data."""

from __future__ import annotations

from typing import Any

from tapeinspect.trace.records import LoopBody


def loop_object(body: LoopBody | None) -> dict[str, Any] | None:
    """The function and the loop that calls it; None for a step that is a function of the script's."""
    if body is None:
        return None
    names = {"parameters": list(body.parameters), "returns": list(body.returns)}
    lines = {"line": body.line, "first_line": body.first, "last_line": body.last}
    return {"function": body.function, "file": body.path, **lines, **names, "code": body.code}
