"""Queries about loops whose bodies were made functions."""

from __future__ import annotations

from tapeinspect.trace import decode
from tapeinspect.trace.database import Database
from tapeinspect.trace.interned import Interned
from tapeinspect.trace.records.loop_bodies import LoopBody


class LoopBodies:
    """The functions that were made of loops' bodies; empty when no step of the recording stands inline in a loop."""

    def __init__(self, database: Database, interned: Interned) -> None:
        self._database = database
        self._interned = interned

    def of_step(self, step: int | None) -> LoopBody | None:
        """The function that a step was looked at as; None for a step that is a call of one of the script's."""
        if step is None or "loop_body" not in self._database.tables:
            return None
        row = self._database.one(
            "SELECT function, file, line, first, last, parameters_json, returns_json, code FROM loop_body"
            " WHERE step = ? ORDER BY id DESC LIMIT 1",
            (step,),
        )
        if row is None:
            return None
        function, file, line, first, last, parameters, returns, code = row
        return LoopBody(
            step,
            decode.text(function),
            self._interned.path(file) if isinstance(file, int) else None,
            decode.whole(line),
            decode.whole(first),
            decode.whole(last),
            _names(parameters),
            _names(returns),
            decode.text(code),
        )


def _names(raw: object) -> tuple[str, ...]:
    found = decode.from_json(raw)
    return tuple(str(name) for name in found) if isinstance(found, list) else ()
