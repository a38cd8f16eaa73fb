"""Queries about the run as a whole and what happened in it now and then: failures, findings, traces."""

from __future__ import annotations

from typing import Any, Final

from tapeinspect.trace import decode
from tapeinspect.trace.database import Database
from tapeinspect.trace.interned import Interned
from tapeinspect.trace.records import Finding, Meta, Opaque, ProbeError, ScriptFailure

_OPAQUE_KINDS: Final[dict[str, Any]] = {
    kind: kind for kind in ("dataset", "py_function", "graph", "jacobian")
}
_SEVERITIES: Final[dict[str, Any]] = {severity: severity for severity in ("error", "warning", "info")}


class Events:
    """Tables with few rows."""

    def __init__(self, database: Database, interned: Interned) -> None:
        self._database = database
        self._interned = interned

    def meta(self) -> Meta:
        """The facts of the whole run."""
        raw = {
            decode.text(key): decode.from_json(value)
            for key, value in self._database.rows("SELECT key, value_json FROM meta")
        }
        (version,) = self._database.one("PRAGMA user_version") or (0,)
        argv = raw.get("argv")
        values = raw.get("values")
        return Meta(
            format=version,
            script=decode.text(raw.get("script")),
            argv=tuple(str(arg) for arg in argv) if isinstance(argv, list) else (),
            tensorflow=decode.maybe_text(raw.get("tensorflow")),
            keras=decode.maybe_text(raw.get("keras")),
            python=decode.text(raw.get("python")),
            tapeinspect=decode.text(raw.get("tapeinspect")),
            mode="graph" if raw.get("mode") == "graph" else "eager",
            values="off" if values == "off" else "full" if values == "full" else "health",
            started=decode.real(raw.get("started")),
            exit_status=decode.maybe_whole(raw.get("exit_status")),
            complete=raw.get("complete") is True,
            raw=raw,
        )

    def opaques(self) -> list[Opaque]:
        """Code that no callback reaches."""
        rows = self._database.rows("SELECT id, kind, name, op, why FROM opaque ORDER BY id")
        return [
            Opaque(
                id=row[0],
                kind=_OPAQUE_KINDS.get(row[1], "graph"),
                name=decode.text(row[2]),
                op=decode.maybe_whole(row[3]),
                why=decode.text(row[4]),
            )
            for row in rows
        ]

    def errors(self) -> list[ScriptFailure]:
        """The exceptions that ended the script."""
        rows = self._database.rows(
            "SELECT id, type, message, file, line, step, frames_json FROM error ORDER BY id"
        )
        return [
            ScriptFailure(
                id=row[0],
                type=decode.text(row[1]),
                message=decode.text(row[2]),
                file=decode.maybe_text(row[3]),
                line=decode.maybe_whole(row[4]),
                step=decode.maybe_whole(row[5]),
                frames=decode.error_frames(row[6]),
            )
            for row in rows
        ]

    def probe_errors(self) -> list[ProbeError]:
        """What failed in tapeinspect itself."""
        rows = self._database.rows("SELECT part, message, detail FROM probe_error ORDER BY id")
        return [
            ProbeError(decode.text(part), decode.text(said), decode.text(more)) for part, said, more in rows
        ]

    def findings(self) -> list[Finding]:
        """What a user should look at."""
        rows = self._database.rows(
            "SELECT rule, severity, step, op, file, line, message, hint FROM finding ORDER BY id"
        )
        return [
            Finding(
                rule=decode.text(row[0]),
                severity=_SEVERITIES.get(row[1], "info"),
                step=decode.maybe_whole(row[2]),
                op=decode.maybe_whole(row[3]),
                path=self._path(row[4]),
                line=decode.maybe_whole(row[5]),
                message=decode.text(row[6]),
                hint=decode.text(row[7]),
            )
            for row in rows
        ]

    def threads(self) -> dict[int, str]:
        """Names of the threads by id."""
        rows = self._database.rows("SELECT id, name FROM thread ORDER BY id")
        return {row[0]: decode.text(row[1]) for row in rows}

    def _path(self, file: object) -> str | None:
        return self._interned.path(file) if isinstance(file, int) else None
