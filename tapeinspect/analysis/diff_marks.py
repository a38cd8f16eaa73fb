"""The verdict of each line of a comparison of eager and traced, as a mark."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable, Mapping
from typing import Final

from tapeinspect.trace.differences import Difference, DiffFinding, DiffLine
from tapeinspect.trace.reader import TraceReader

Place = tuple[str | None, int | None]
"""File and line."""

MARKS: Final = {
    "✗": "fails to trace",
    "≠": "differs in value",
    "P": "runs only while tracing",
    "±": "differs in ops",
    "~": "differs by rounding",
    "=": "the same bits",
}
"""What each mark says, the gravest first."""
_ONCE: Final = frozenset(
    {
        "python-side-effect", "python-print", "frozen-random", "frozen-value", "frozen-time", "leaked-tensor",
        "variable-creation",
    }
)  # fmt: skip


def line_marks(
    diff: Difference, lines: Iterable[DiffLine], findings: Iterable[DiffFinding]
) -> dict[Place, str]:
    """The mark of each line that has one: the gravest of what its ops and its findings say."""
    found: dict[Place, list[str]] = {}
    for line in lines:
        found.setdefault((line.path, line.line), []).append(mark_of_line(line))
    for finding in findings:
        if finding.line is not None:
            found.setdefault((finding.path, finding.line), []).append(mark_of_finding(finding, diff))
    marks = {place: next((mark for mark in MARKS if mark in own), "") for place, own in found.items()}
    return {place: mark for place, mark in marks.items() if mark}


def marks_of_calls(
    marks: Mapping[Place, str], calls: Collection[tuple[Place, Place]], sources: Mapping[str, str]
) -> dict[Place, tuple[str, Place]]:
    """For each line that calls other lines: the gravest of their marks, and the line that has it.

    calls: (calling line, line called). sources: by path; a marked line that ran no op is looked for among the lines
    of its function that did.
    """
    callers: dict[Place, set[Place]] = {}
    for caller, called in calls:
        callers.setdefault(called, set()).add(caller)
    order = list(MARKS)
    found: dict[Place, tuple[str, Place]] = {}
    for place, mark in sorted(marks.items(), key=lambda item: order.index(item[1])):
        todo = list(callers.get(place) or _callers_of_function(place, callers, sources))
        while todo:
            caller = todo.pop()
            if caller not in found:
                found[caller] = (mark, place)
                todo += callers.get(caller, ())
    return found


def calls_of(
    reader: TraceReader, diff: Difference, marks: Mapping[Place, str]
) -> dict[Place, tuple[str, Place]]:
    """`marks_of_calls` for the calls of the recorded batch that was compared."""
    if diff.step is None or not 0 < diff.step <= reader.counts.steps:
        return {}
    sources = {file.path: file.source for file in reader.files() if file.source is not None}
    return marks_of_calls(marks, reader.calls(diff.step), sources)


def graver(mark: str, own: str) -> bool:
    """Whether a mark of what a line calls says more than the line's own."""
    order = list(MARKS)
    return bool(mark) and (not own or order.index(mark) < order.index(own))


def _callers_of_function(
    place: Place, callers: Mapping[Place, set[Place]], sources: Mapping[str, str]
) -> set[Place]:
    path, line = place
    if path is None or line is None or path not in sources:
        return set()
    first, last = extent(sources[path], line)
    inside = {p for p in callers if p[0] == path and p[1] is not None and first <= p[1] <= last}
    return {caller for p in inside for caller in callers[p] if caller not in inside}


def mark_of_line(line: DiffLine) -> str:
    """What became of the ops of a line; "" when it has none."""
    if line.verdict == "real":
        return "≠"
    if line.only_eager or line.only_traced:
        return "±"
    return "~" if line.verdict == "rounding" else "=" if line.eager or line.traced else ""


def mark_of_finding(finding: DiffFinding, diff: Difference) -> str:
    """What a finding makes of its line; "" for what is only to be known."""
    if finding.severity == "error" and diff.verdict == "fails_to_trace":
        return "✗"
    if finding.rule in _ONCE:
        return "P"
    return "≠" if finding.severity == "error" else ""


def extent(source: str, line: int) -> tuple[int, int]:
    """First and last line of the innermost function that holds a line, decorators included; else of the file.

    A lambda counts where no `def` is around it.
    """
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError):
        return 1, source.count("\n") + 1
    found: list[tuple[bool, int, int]] = []
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            start = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])
            end = node.end_lineno or node.lineno
            if start <= line <= end:
                found.append((not isinstance(node, ast.Lambda), start, end))
    return max(found)[1:] if found else (1, source.count("\n") + 1)
