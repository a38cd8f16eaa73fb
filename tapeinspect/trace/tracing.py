"""Queries about tracing: the traces of tf.functions, and what of the user's code does not survive tracing."""

from __future__ import annotations

from typing import Any, Final

from tapeinspect.trace import decode
from tapeinspect.trace.database import Database
from tapeinspect.trace.interned import Interned
from tapeinspect.trace.records import FunctionTrace, Survey, SurveyFact

_KINDS: Final[dict[str, Any]] = {kind: kind for kind in ("function", "dataset", "library")}
_FACTS: Final[dict[Any, Any]] = {
    fact: fact for fact in ("call", "store", "read", "iterate", "catch", "eager")
}


class Tracing:
    """What is known of tracing."""

    def __init__(self, database: Database, interned: Interned) -> None:
        self._database = database
        self._interned = interned

    def traces(self) -> list[FunctionTrace]:
        """The traces of `tf.function`s, in order."""
        rows = self._database.rows(
            "SELECT id, function, file, line, signature, nodes, step, op, kind, object, number, seconds,"
            " caller_file, caller_line, arguments_json, cause, argument, why, advice, checked"
            " FROM trace ORDER BY id"
        )
        return [
            FunctionTrace(
                id=row[0],
                function=decode.text(row[1]),
                path=self._path(row[2]),
                line=decode.maybe_whole(row[3]),
                signature=decode.text(row[4]),
                nodes=decode.whole(row[5]),
                step=decode.maybe_whole(row[6]),
                op=decode.whole(row[7]),
                kind=_KINDS.get(row[8], "library"),
                object=decode.whole(row[9]),
                number=decode.whole(row[10]),
                seconds=decode.maybe_real(row[11]),
                caller_path=self._path(row[12]),
                caller_line=decode.maybe_whole(row[13]),
                arguments=_arguments(row[14]),
                cause=decode.text(row[15]),
                argument=decode.maybe_text(row[16]),
                why=decode.text(row[17]),
                advice=decode.text(row[18]),
                checked=decode.maybe_text(row[19]),
            )
            for row in rows
        ]

    def surveys(self) -> list[Survey]:
        """Every time that a step was traced to see what of it does not survive tracing, oldest first."""
        rows = self._database.rows(
            "SELECT id, step, function, status, seconds, type, message, file, line, frames_json FROM survey"
            " ORDER BY id"
        )
        return [
            Survey(
                id=row[0],
                step=decode.maybe_whole(row[1]),
                function=decode.text(row[2]),
                status="failed" if row[3] == "failed" else "traced",
                seconds=decode.real(row[4]),
                type=decode.maybe_text(row[5]),
                message=decode.maybe_text(row[6]),
                path=decode.maybe_text(row[7]),
                line=decode.maybe_whole(row[8]),
                frames=decode.error_frames(row[9]),
            )
            for row in rows
        ]

    def survey_facts(self, survey: int) -> list[SurveyFact]:
        """What happened in one of them, in the order in which it did."""
        rows = self._database.rows(
            "SELECT id, fact, file, line, name, count, detail_json FROM survey_fact WHERE survey = ? ORDER BY id",
            (survey,),
        )
        return [
            SurveyFact(
                id=row[0],
                fact=_FACTS[row[1]],
                file=decode.whole(row[2]),
                path=self._path(row[2]) or "",
                line=decode.whole(row[3]),
                name=decode.text(row[4]),
                count=decode.whole(row[5]),
                detail=_object(row[6]),
            )
            for row in rows
            if row[1] in _FACTS
        ]

    def _path(self, file: object) -> str | None:
        return self._interned.path(file) if isinstance(file, int) else None


def _arguments(text: object) -> tuple[tuple[str, str], ...]:
    content = decode.from_json(text)
    if not isinstance(content, list):
        return ()
    return tuple(
        (decode.text(item.get("name")), decode.text(item.get("text")))
        for item in content
        if isinstance(item, dict)
    )


def _object(text: object) -> dict[str, Any]:
    content = decode.from_json(text)
    return content if isinstance(content, dict) else {}
