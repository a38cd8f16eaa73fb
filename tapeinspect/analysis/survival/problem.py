"""One thing that does not survive tracing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tapeinspect.trace.records import Finding


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that does not survive tracing."""

    rule: str
    severity: Literal["error", "warning", "info"]
    path: str | None
    line: int | None
    eager: str
    """What the line does eagerly: a sentence."""
    traced: str
    """What it does when traced: a sentence."""
    fix: str
    """The change that makes it do the same."""

    def finding(self, step: int | None) -> Finding:
        """The same as a row of a list of findings."""
        message = f"{self.eager} {self.traced}".strip()
        return Finding(self.rule, self.severity, step, None, self.path, self.line, message, self.fix)
