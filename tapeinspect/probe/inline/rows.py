"""A loop's body that became a function, as a row of the trace."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tapeinspect.probe.inline.function import BodyFunction

if TYPE_CHECKING:
    from tapeinspect.probe.recorder import Recorder


def write(recorder: Recorder, step: int, made: BodyFunction | None) -> None:
    """Write what a step was looked at as; nothing for a call of a function. The caller holds the lock."""
    if made is None:
        return
    code, about = made.function.__code__, made.signature
    where = (recorder.code.file(code.co_filename), code.co_firstlineno, *made.lines)
    names = (json.dumps(about.parameters), json.dumps(about.returns))
    text = made.pasted if recorder.config.source else ""
    recorder.sink.add(
        "loop_body", (recorder.sink.next_id("loop_body"), step, about.name, *where, *names, text)
    )
