"""What the Diff tab shows of one comparison, gathered from the recording. No Textual in here."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from tapeinspect.trace.differences import (
    Compiled,
    Difference,
    DiffFinding,
    DiffLine,
    DiffOp,
    DiffValue,
    Rewritten,
    by_line,
)
from tapeinspect.trace.reader import TraceReader

Place = tuple[str | None, int | None]

ODD: Final = ("eager", "traced", "moved")
"""Relations of ops that are worth a look, whatever their values."""


@dataclass(frozen=True, slots=True)
class Page:
    """One comparison."""

    diff: Difference
    source: str
    """Of the step; "" when it is not in the recording."""
    first: int
    """Number of the source's first line."""
    lines: Mapping[Place, DiffLine]
    ops: Sequence[DiffOp]
    """Those shown: folded ones only where asked for."""
    folded: int
    """Ops that are folded away."""
    values: Sequence[DiffValue]
    findings: Sequence[DiffFinding]
    compiled: Compiled | None = None
    """The step compiled by XLA, where that was asked for."""
    rewritten: Sequence[Rewritten] | None = None
    """What Grappler changed, where that was asked for."""

    @property
    def all_values(self) -> Sequence[DiffValue]:
        """Those of the traced step, then those of the compiled one."""
        return [*self.values, *(self.compiled.values if self.compiled is not None else ())]

    def rewritten_at(self, line: int) -> list[Rewritten]:
        """What Grappler changed of a line of the step's file."""
        return [r for r in self.rewritten or () if r.path == self.diff.path and r.line == line]

    def findings_at(self, line: int) -> list[DiffFinding]:
        """What was found on a line of the step's file."""
        return [f for f in self.findings if f.path == self.diff.path and f.line == line]

    def line(self, number: int) -> DiffLine | None:
        """The ops of a line of the step's file."""
        return self.lines.get((self.diff.path, number))

    def mark(self, number: int) -> str:
        """The verdict of a line, as a mark."""
        marks = [mark_of_finding(f, self.diff) for f in self.findings_at(number)]
        marks.append(mark_of_line(self.line(number)))
        return next((mark for mark in "✗≠P±~=" if mark in marks), "")


def make_page(reader: TraceReader, diff: Difference, everything: bool = False) -> Page:
    """Gather a comparison; `everything`: with the ops that are folded away."""
    ops = reader.differences.ops(diff.id)
    source, first = _source(reader, diff)
    shown = ops if everything else [op for op in ops if op.relation != "folded"]
    return Page(
        diff,
        source,
        first,
        {(line.path, line.line): line for line in by_line(ops)},
        shown,
        len(ops) - len(shown),
        reader.differences.values(diff.id),
        reader.differences.findings(diff.id),
        reader.differences.compiled(diff.id),
        reader.differences.rewritten(diff.id),
    )


def mark_of_line(line: DiffLine | None) -> str:
    """What became of the ops of a line: ≠ other values, ± other ops, ~ rounding, = the same bits."""
    if line is None:
        return ""
    if line.verdict == "real":
        return "≠"
    if line.only_eager or line.only_traced:
        return "±"
    return "~" if line.verdict == "rounding" else "=" if line.eager or line.traced else ""


_ONCE: Final = frozenset(
    {
        "python-side-effect",
        "python-print",
        "frozen-random",
        "frozen-value",
        "leaked-tensor",
        "variable-creation",
    }
)  # fmt: skip


def mark_of_finding(finding: DiffFinding, diff: Difference) -> str:
    """✗ fails to trace, P runs only while tracing, ≠ differs; "" for what is only to be known."""
    if finding.severity == "error" and diff.verdict == "fails_to_trace":
        return "✗"
    if finding.rule in _ONCE:
        return "P"
    return "≠" if finding.severity == "error" else ""


def _source(reader: TraceReader, diff: Difference) -> tuple[str, int]:
    """The source of the function compared, and the number of its first line."""
    text = next((file.source for file in reader.files() if file.path == diff.path), None)
    if text is None or diff.line is None:
        return "", diff.line or 1
    first, last = extent(text, diff.line)
    return "\n".join(text.split("\n")[first - 1 : last]), first


def extent(source: str, line: int) -> tuple[int, int]:
    """First and last line of the function that begins at a line; the rest of the file when none does."""
    end = source.count("\n") + 1
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError):
        return line, end
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            start = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])
            if line in (start, node.lineno):
                return start, node.end_lineno or node.lineno
    return line, end
