"""Keeps the findings of a recording up to date beside the drawing. No Textual in here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from tapeinspect.errors import TraceError
from tapeinspect.trace.reader import TraceReader
from tapeinspect.trace.records import Finding
from tapeinspect.ui.subject import Subject

GROWTH: Final = 1.25
"""While a script runs, its findings are looked for anew when there are so many times the batches."""


class Findings:
    """What was found so far."""

    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        self.found: Sequence[Finding] = ()
        """The worst first."""
        self.looked = False
        """They have been looked for at least once."""
        self._at = (-1, -1)
        self.running = False
        """They are being looked for."""

    def due(self) -> bool:
        """Whether it is time to look; the caller then calls `look`."""
        subject = self._subject
        if self.running or subject.reader is None:
            return False
        if subject.exited:
            return self.stale
        ended = subject.counts.steps - (0 if subject.paused else 1)
        return ended > max(self._at[0], GROWTH * self._at[0])

    @property
    def stale(self) -> bool:
        """Whether the recording has grown since they were looked for."""
        return (self._subject.counts.steps, self._subject.counts.ops) != self._at

    def look(self) -> None:
        """Look for findings; in a thread of its own, since it takes up to seconds."""
        reader = self._subject.reader
        if reader is None:
            return
        self.running = True
        self._at = (self._subject.counts.steps, self._subject.counts.ops)
        try:
            self.found = _find(reader)
            self.looked = True
        finally:
            self.running = False

    def steps(self) -> frozenset[int]:
        """The batches that errors and warnings are about."""
        return frozenset(
            item.step for item in self.found if item.step is not None and item.severity != "info"
        )


def _find(reader: TraceReader) -> list[Finding]:
    from tapeinspect.analysis.findings import find

    try:
        return find(reader)
    except (
        TraceError
    ):  # a damaged part, which the screen tells of by itself, or the recording has been closed
        return []


def summary(found: Sequence[Finding]) -> str:
    """The findings in a few words, for the header: `2 errors · 1 warning`; "" when there are none."""
    parts = []
    for severity in ("error", "warning"):
        count = sum(item.severity == severity for item in found)
        if count:
            parts.append(f"{count} {severity}{'s' if count > 1 else ''}")
    if not parts and found:
        return "f: 1 note" if len(found) == 1 else f"f: {len(found)} notes"
    return f"f: {' · '.join(parts)}" if parts else ""
