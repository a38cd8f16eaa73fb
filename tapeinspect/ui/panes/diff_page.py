"""What the Diff tab shows of one comparison, gathered from the recording. No Textual in here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tapeinspect.analysis.diff_marks import Place, calls_of, graver, line_marks
from tapeinspect.trace.differences import (
    Compiled,
    Difference,
    DiffFinding,
    DiffLine,
    DiffOp,
    DiffValue,
    Memory,
    Rewritten,
    by_line,
)
from tapeinspect.trace.reader import TraceReader
from tapeinspect.trace.records import AutographFunction, AutographRun, LoopBody

GRAVE = "✗≠P±"
"""Marks of lines that are worth a look."""


@dataclass(frozen=True, slots=True)
class Page:
    """One comparison."""

    diff: Difference
    lines: Mapping[Place, DiffLine]
    marks: Mapping[Place, str]
    """The verdict of each line that has one: see `tapeinspect.analysis.diff_marks`."""
    ops: Sequence[DiffOp]
    """Those shown: folded ones only where asked for."""
    folded: int
    """Ops that are folded away."""
    values: Sequence[DiffValue]
    findings: Sequence[DiffFinding]
    compiled: Compiled | None = None
    """The step compiled by XLA, where that was asked for."""
    called: Mapping[Place, tuple[str, Place]] = field(default_factory=dict)
    """The gravest verdict of what a line calls, and the line that has it."""
    rewritten: Sequence[Rewritten] | None = None
    """What Grappler changed, where that was asked for."""
    run: AutographRun | None = None
    """What AutoGraph made of the step; None where that was not asked for."""
    functions: Sequence[AutographFunction] = ()
    """The user's functions that the step calls."""
    body: LoopBody | None = None
    """The loop's body that was compared, when the step stands inline in one."""
    memory: Memory | None = None
    """What a call of the step needs; None where it was not measured."""

    def rewritten_at(self, path: str | None, line: int) -> list[Rewritten]:
        """What Grappler changed of a line."""
        return [r for r in self.rewritten or () if (r.path, r.line) == (path, line)]

    def findings_at(self, path: str | None, line: int | None) -> list[DiffFinding]:
        """What was found on a line."""
        return [f for f in self.findings if (f.path, f.line) == (path, line) and line is not None]

    def line(self, path: str | None, number: int) -> DiffLine | None:
        """The ops of a line."""
        return self.lines.get((path, number))

    def mark(self, path: str | None, number: int) -> str:
        """The verdict of a line, "" where there is none."""
        return self.marks.get((path, number), "")

    def called_mark(self, path: str | None, number: int) -> tuple[str, Place] | None:
        """The verdict of what a line calls, and its place; None where the line's own is as grave."""
        mark, place = self.called.get((path, number), ("", (None, None)))
        return (mark, place) if graver(mark, self.mark(path, number)) else None

    def first_place(self) -> tuple[str, int] | None:
        """The line to begin with: of the first finding that has one, else where the function begins."""
        for finding in self.findings:
            if finding.path is not None and finding.line is not None and finding.severity != "info":
                return finding.path, finding.line
        diff = self.diff
        return (diff.path, diff.line) if diff.path is not None and diff.line is not None else None

    def flagged(self) -> frozenset[int]:
        """Ids of the functions with a line that is worth a look."""
        grave = [place for place, mark in self.marks.items() if mark in GRAVE]
        return frozenset(
            function.id
            for function in self.functions
            if any(
                path == function.path and line is not None and holds(function, line) for path, line in grave
            )
        )


def holds(function: AutographFunction, line: int) -> bool:
    """Whether a line of a function's file is the function's."""
    return (function.line or 0) <= line <= (function.end_line or 0)


def make_page(reader: TraceReader, diff: Difference, everything: bool = False) -> Page:
    """Gather a comparison; `everything`: with the ops that are folded away. Raises TraceError."""
    ops, findings = reader.differences.ops(diff.id), reader.differences.findings(diff.id)
    lines = by_line(ops)
    shown = ops if everything else [op for op in ops if op.relation != "folded"]
    number = reader.differences.run_of(diff.id)
    run = next((run for run in reader.autograph.runs() if run.id == number), None)
    functions = reader.autograph.functions(run.id) if run is not None else []
    marks = line_marks(diff, lines, findings)
    return Page(
        diff,
        {(line.path, line.line): line for line in lines},
        marks,
        shown,
        len(ops) - len(shown),
        reader.differences.values(diff.id),
        findings,
        reader.differences.compiled(diff.id),
        calls_of(reader, diff, marks),
        reader.differences.rewritten(diff.id),
        run,
        [f for f in functions if f.role == "user" and f.source is not None],
        reader.loop_bodies.of_step(diff.step),
        reader.differences.memory(diff.id),
    )
