"""Figures of gradients, variables and updates over the steps: what curves and heat maps are drawn from."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final, Literal

from tapeinspect.trace import decode
from tapeinspect.trace.database import Database

Subject = Literal["gradient", "weight", "update"]


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure of each variable at each step."""

    key: str
    """As a user types it and as `Y` copies it."""
    title: str
    subject: Subject
    """What it is a figure of."""
    table: str
    logarithmic: bool
    """It spans orders of magnitude: norms, unlike shares."""
    expression: str
    """SQL over the row of the table."""
    bad: str
    """SQL: how many NaN and Inf the row tells of."""


_BAD: Final = "nan + inf"

FIGURES: Final = (
    Figure("gradient-norm", "gradient norm", "gradient", "gradient", True, "norm", _BAD),
    Figure("gradient-max", "largest |gradient|", "gradient", "gradient", True, "max(abs(min), abs(max))", _BAD),
    Figure("gradient-zeros", "zeros in the gradient", "gradient", "gradient", False, "zeros", _BAD),
    Figure("update-norm", "update norm", "update", "variable_step", True, "update_norm", "0"),
    Figure("update-ratio", "update norm / weight norm", "update", "variable_step", True,
           "update_norm / nullif(norm, 0)", "0"),
    Figure("update-max", "largest |update|", "update", "magnitudes", True, "largest", "bad"),
    Figure("update-zeros", "zeros in the update", "update", "magnitudes", False, "zero_share", "bad"),
    Figure("weight-norm", "weight norm", "weight", "variable_step", True, "norm", _BAD),
    Figure("weight-max", "largest |weight|", "weight", "variable_step", True, "max(abs(min), abs(max))", _BAD),
    Figure("weight-zeros", "zeros in the weight", "weight", "variable_step", False, "zeros", _BAD),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Point:
    """A figure of one variable over one or more steps that follow each other."""

    step: int
    """The first of the steps."""
    value: float | None
    """The largest of them; None when no step has one."""
    bad: bool
    """One of the steps has NaN or Inf."""


@dataclass(frozen=True, slots=True)
class Magnitudes:
    """How large the entries of a gradient, a variable or an update are, at one step."""

    step: int
    counts: dict[int, int]
    """Entries by magnitude: k counts those from 2**k up to 2**(k+1); exact zeros are under no k."""
    zeros: int
    bad: int
    """NaN and Inf."""
    seen: int
    """Entries looked at; fewer than there are in a large tensor."""


class Series:
    """Figures over the steps. Scans: for threads that may wait."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def points(self, figure: Figure, per: int = 1, variable: int | None = None) -> dict[int, list[Point]]:
        """The figure of each variable, or of one, `per` steps to a point; by id of the variable, in order."""
        where = "" if variable is None else " AND variable = :variable"
        if figure.table == "magnitudes":
            where += f" AND subject = '{figure.subject}'"
        rows = self._database.scan(
            f"SELECT variable, (step - 1) / :per, max({figure.expression}), sum({figure.bad}) FROM {figure.table}"
            f" WHERE step IS NOT NULL{where} GROUP BY 1, 2 ORDER BY 1, 2",
            {"per": per, "variable": variable},
        )
        found: dict[int, list[Point]] = {}
        for known, bucket, value, bad in rows:
            if isinstance(known, int) and isinstance(bucket, int):
                point = Point(bucket * per + 1, decode.maybe_real(value), bool(decode.whole(bad or 0)))
                found.setdefault(known, []).append(point)
        return found

    def magnitudes(self, variable: int, subject: Subject) -> list[Magnitudes]:
        """The distribution of a variable's gradient, value or update at each step that has one."""
        rows = self._database.scan(
            "SELECT step, zeros, bad, seen, counts_json FROM magnitudes"
            " WHERE variable = ? AND subject = ? ORDER BY step",
            (variable, subject),
        )
        return [
            Magnitudes(
                decode.whole(step),
                _counts(counts),
                decode.whole(zeros),
                decode.whole(bad),
                decode.whole(seen),
            )
            for step, zeros, bad, seen, counts in rows
        ]


def _counts(text: Any) -> dict[int, int]:
    """[first exponent, count, count, …] as counts by exponent; nothing for what is not such a list."""
    try:
        first, *counts = json.loads(text)
        return {int(first) + i: int(count) for i, count in enumerate(counts) if count}
    except (TypeError, ValueError):
        return {}
