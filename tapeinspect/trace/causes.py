"""Queries for the questions why a gradient is None and where a NaN came from.

A recording that lacks the tables for it gives no answer rather than an error.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from tapeinspect.errors import TraceError
from tapeinspect.trace import decode
from tapeinspect.trace.database import Database, Row
from tapeinspect.trace.records import (
    Health,
    NoneEvidence,
    OpRow,
    OriginElement,
    OriginInput,
    OriginNote,
    Step,
    TensorSpec,
)


class Causes:
    """What was taken down about gradients that are None and about the first NaN or Inf."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._tables: dict[str, bool] = {}

    def none_evidence(self, gradient: int) -> NoneEvidence | None:
        """What was known of the source of a gradient that is None."""
        if not self._has("none_evidence"):
            return None
        row = self._database.one(
            "SELECT tensor, watched, local, twin, twin_name FROM none_evidence WHERE gradient = ?",
            (gradient,),
        )
        if row is None:
            return None
        return NoneEvidence(
            tensor=decode.maybe_whole(row[0]),
            watched=None if row[1] is None else bool(row[1]),
            local=decode.maybe_text(row[2]),
            twin=decode.maybe_whole(row[3]),
            twin_name=decode.text(row[4]),
        )

    def origin(self, op: int) -> OriginNote | None:
        """What was noted of an op that made the first NaN or Inf."""
        if not self._has("origin"):
            return None
        row = self._database.one("SELECT tensor, inputs_json, elements_json FROM origin WHERE op = ?", (op,))
        if row is None:
            return None
        return OriginNote(
            op=op,
            tensor=decode.whole(row[0]),
            inputs=tuple(_input(item) for item in _items(row[1])),
            elements=tuple(_element(item) for item in _items(row[2])),
        )

    def bad_tensors(self, first: int, last: int) -> dict[int, Health]:
        """The tensors with NaN or Inf that some ops made."""
        rows = self._database.scan(
            "SELECT tensor, nan, inf FROM health WHERE (op BETWEEN ? AND ? OR op BETWEEN ? AND ?)"
            " AND (nan > 0 OR inf > 0)",
            (first, last, -last, -first),  # below 0: a gradient that no op made
        )
        return {
            decode.whole(row[0]): Health(decode.whole(row[1]), decode.whole(row[2]), None) for row in rows
        }

    def site_history(self, own: OpRow, steps: Sequence[Step]) -> list[tuple[int, int, float | None]]:
        """(step, op, norm) of one op in each of some steps, the last of which is its own."""
        if not steps:
            return []
        found: dict[int, list[Row]] = {}
        first, last = steps[0].first_op, max(own.id, *(step.last_op or step.first_op for step in steps))
        kind = "SELECT id FROM kind WHERE type = ?"
        for row in self._database.scan(
            f"SELECT step, id, norm FROM op WHERE id BETWEEN ? AND ? AND stack = ? AND kind IN ({kind})"
            " ORDER BY id",
            (first, last, own.stack, own.type),
        ):
            if isinstance(row[0], int):
                found.setdefault(row[0], []).append(row)
        alike = [row[1] for row in found.get(own.step or 0, [])]
        turn = alike.index(own.id) if own.id in alike else 0
        return [
            (step, rows[turn][1], decode.maybe_real(rows[turn][2]))
            for step, rows in sorted(found.items())
            if step != own.step and turn < len(rows)
        ]

    def _has(self, table: str) -> bool:
        """Whether the recording has a table."""
        if table not in self._tables:
            try:
                row = self._database.one("SELECT 1 FROM sqlite_master WHERE name = ?", (table,))
            except TraceError:
                row = None
            self._tables[table] = row is not None
        return self._tables[table]


def _items(text: object) -> list[dict[str, Any]]:
    content = decode.from_json(text)
    return [item for item in content if isinstance(item, dict)] if isinstance(content, list) else []


def _input(item: dict[str, Any]) -> OriginInput:
    return OriginInput(
        tensor=decode.whole(item.get("tensor")),
        spec=TensorSpec(decode.text(item.get("dtype")) or "unknown", decode.shape(item.get("shape"))),
        nan=decode.whole(item.get("nan")),
        inf=decode.whole(item.get("inf")),
        zeros=decode.maybe_real(item.get("zeros")),
        min=decode.maybe_real(item.get("min")),
        max=decode.maybe_real(item.get("max")),
        norm=decode.maybe_real(item.get("norm")),
    )


def _element(item: dict[str, Any]) -> OriginElement:
    index, inputs = item.get("index"), item.get("inputs")
    return OriginElement(
        index=tuple(decode.whole(axis) for axis in index) if isinstance(index, list) else (),
        inputs=tuple(_number(value) for value in inputs) if isinstance(inputs, list) else (),
        output=_number(item.get("output")),
    )


def _number(value: object) -> float:
    """A number, or the text that stands for one that JSON does not have."""
    if isinstance(value, str) and value in ("nan", "inf", "-inf"):
        return float(value)
    if isinstance(value, (int, float)):
        return float(value)
    return math.nan
