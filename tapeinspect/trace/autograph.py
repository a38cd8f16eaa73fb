"""Queries about AutoGraph: what it made of a step's functions, and what each construct became."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from tapeinspect.trace import decode
from tapeinspect.trace.database import Database, Row
from tapeinspect.trace.interned import Interned
from tapeinspect.trace.records import (
    AutographConstruct,
    AutographFailure,
    AutographFold,
    AutographFunction,
    AutographMark,
    AutographRun,
    LoopVariable,
)

_RUN: Final[dict[str, Any]] = {status: status for status in ("traced", "failed", "converted")}
_STATUS: Final[dict[str, Any]] = {status: status for status in ("converted", "not_converted", "failed")}
_KINDS: Final[dict[str, Any]] = {
    kind: kind
    for kind in ("function", "method", "lambda", "object", "class", "builtin", "generator", "tf.function")
}
_ROLES: Final[dict[str, Any]] = {role: role for role in ("user", "library", "generated")}
_MARKS: Final[dict[str, Any]] = {mark: mark for mark in ("G", "P", "U", "·")}


class Autograph:
    """What AutoGraph made of the step, for each time that was looked at. Empty until somebody asks."""

    def __init__(self, database: Database, interned: Interned) -> None:
        self._database = database
        self._interned = interned

    def runs(self) -> list[AutographRun]:
        """Every time a step was traced for this, oldest first."""
        rows = self._database.rows(
            "SELECT id, step, function, file, line, status, note, hint, ops, convert_seconds, trace_seconds"
            " FROM ag_run ORDER BY id"
        )
        return [self._run(row) for row in rows]

    def latest(self, step: int | None = None) -> AutographRun | None:
        """The last run, of one step when there is any of it; None when nobody asked yet."""
        runs = self.runs()
        of_step = [run for run in runs if step is not None and run.step == step]
        return (of_step or runs or [None])[-1]  # type: ignore[list-item]

    def functions(self, run: int) -> list[AutographFunction]:
        """The functions of a run: the user's first, then libraries'; each in the order they were met."""
        rows = self._database.rows(
            "SELECT id, run, parent, within, name, module, kind, role, file, line, end_line, call_file,"
            " call_line, calls, status, rule, reason, source, generated FROM ag_function WHERE run = ?"
            " ORDER BY role = 'library', id",
            (run,),
        )
        return [self._function(row) for row in rows]

    def lines(self, function: int) -> dict[int, int]:
        """AutoGraph's own map of one function: line in `generated` -> line in the function's file."""
        rows = self._database.rows(
            "SELECT line, original FROM ag_line WHERE function = ? ORDER BY line", (function,)
        )
        return {decode.whole(line): decode.whole(original) for line, original in rows}

    def folds(self, function: int) -> list[AutographFold]:
        """The stretches of generated lines that only AutoGraph needs, in order; they do not overlap."""
        rows = self._database.rows(
            "SELECT first, last, what FROM ag_fold WHERE function = ? ORDER BY first", (function,)
        )
        return [AutographFold(decode.whole(a), decode.whole(b), decode.text(what)) for a, b, what in rows]

    def constructs(self, function: int) -> list[AutographConstruct]:
        """The constructs in one function, in the order of the source."""
        rows = self._database.rows(
            "SELECT c.id, c.run, c.function, f.file, c.line, c.end_line, c.col, c.end_col, c.construct,"
            " c.became, c.count, c.text, c.detail_json FROM ag_construct AS c"
            " LEFT JOIN ag_function AS f ON f.id = c.function WHERE c.function = ? ORDER BY c.line, c.col",
            (function,),
        )
        return [self._construct(row) for row in rows]

    def marks(self, run: int, path: str) -> dict[int, AutographMark]:
        """The marks of the lines of one file, by line; a line without a statement has none."""
        rows = self._database.rows(
            "SELECT m.line, m.mark, m.ops, m.count FROM ag_mark AS m JOIN file ON file.id = m.file"
            " WHERE m.run = ? AND file.path = ? ORDER BY m.line",
            (run, path),
        )
        return {
            row[0]: AutographMark(row[0], _MARKS.get(row[1], "·"), decode.whole(row[2]), decode.whole(row[3]))
            for row in rows
            if isinstance(row[0], int)
        }

    def failure(self, run: int) -> AutographFailure | None:
        """What the trace of a run failed with."""
        row = self._database.one(
            "SELECT run, type, message, file, line, function, frames_json, explanation, hint"
            " FROM ag_failure WHERE run = ?",
            (run,),
        )
        if row is None:
            return None
        return AutographFailure(
            run=row[0],
            type=decode.text(row[1]),
            message=decode.text(row[2]),
            path=decode.maybe_text(row[3]),
            line=decode.maybe_whole(row[4]),
            function=decode.text(row[5]),
            frames=decode.error_frames(row[6]),
            explanation=decode.text(row[7]),
            hint=decode.text(row[8]),
        )

    def _run(self, row: Row) -> AutographRun:
        return AutographRun(
            id=row[0],
            step=decode.maybe_whole(row[1]),
            function=decode.text(row[2]),
            path=self._path(row[3]),
            line=decode.maybe_whole(row[4]),
            status=_RUN.get(row[5], "converted"),
            note=decode.text(row[6]),
            hint=decode.text(row[7]),
            ops=decode.whole(row[8]),
            convert_seconds=decode.maybe_real(row[9]),
            trace_seconds=decode.maybe_real(row[10]),
        )

    def _function(self, row: Row) -> AutographFunction:
        return AutographFunction(
            id=row[0],
            run=decode.whole(row[1]),
            parent=decode.maybe_whole(row[2]),
            within=decode.maybe_whole(row[3]),
            name=decode.text(row[4]),
            module=decode.text(row[5]),
            kind=_KINDS.get(row[6], "function"),
            role=_ROLES.get(row[7], "library"),
            path=self._path(row[8]),
            line=decode.maybe_whole(row[9]),
            end_line=decode.maybe_whole(row[10]),
            call_path=self._path(row[11]),
            call_line=decode.maybe_whole(row[12]),
            calls=decode.whole(row[13]),
            status=_STATUS.get(row[14], "not_converted"),
            rule=decode.text(row[15]),
            reason=decode.text(row[16]),
            source=decode.maybe_text(row[17]),
            generated=decode.maybe_text(row[18]),
        )

    def _construct(self, row: Row) -> AutographConstruct:
        detail = decode.from_json(row[12])
        detail = detail if isinstance(detail, dict) else {}
        return AutographConstruct(
            id=row[0],
            run=decode.whole(row[1]),
            function=decode.whole(row[2]),
            path=self._path(row[3]),
            line=decode.whole(row[4]),
            end_line=decode.maybe_whole(row[5]),
            col=decode.maybe_whole(row[6]),
            end_col=decode.maybe_whole(row[7]),
            construct=decode.text(row[8]),
            became=decode.text(row[9]),
            count=decode.whole(row[10]),
            text=decode.text(row[11]),
            variables=_variables(detail.get("variables")),
            branches=_branches(detail.get("branches")),
        )

    def _path(self, file: object) -> str | None:
        return self._interned.path(file) if isinstance(file, int) else None


def _variables(content: object) -> tuple[LoopVariable, ...]:
    items: Sequence[Any] = content if isinstance(content, list) else ()
    return tuple(
        LoopVariable(
            decode.text(item.get("name")),
            decode.text(item.get("text")),
            decode.maybe_text(item.get("invariant")),
        )
        for item in items
        if isinstance(item, dict)
    )


def _branches(content: object) -> tuple[tuple[str, int], ...]:
    items: Sequence[Any] = content if isinstance(content, list) else ()
    return tuple(
        (decode.text(item[0]), decode.whole(item[1]))
        for item in items
        if isinstance(item, list) and len(item) == 2
    )
