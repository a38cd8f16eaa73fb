"""What AutoGraph made of a script, ready to be printed: the user's source and the generated one side by side."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from tapeinspect.analysis import survival
from tapeinspect.errors import UsageError
from tapeinspect.trace.reader import TraceReader
from tapeinspect.trace.records import (
    AutographConstruct,
    AutographFailure,
    AutographFold,
    AutographFunction,
    AutographMark,
    AutographRun,
    Finding,
)


@dataclass(frozen=True, slots=True)
class Pair:
    """One row of two sources side by side."""

    original: int | None
    """Line in the file."""
    generated: int | None
    """Line in the generated source."""
    fold: AutographFold | None = None
    """Stands for these generated lines."""


@dataclass(frozen=True, slots=True)
class FunctionReport:
    """One function with all that is known of it."""

    function: AutographFunction
    lines: dict[int, int]
    """Generated line -> line in the file."""
    folds: tuple[AutographFold, ...]
    constructs: tuple[AutographConstruct, ...]
    marks: dict[int, AutographMark]

    @property
    def original(self) -> dict[int, str]:
        """The user's lines, by number."""
        first = self.function.line or 1
        return dict(enumerate((self.function.source or "").splitlines(), first))

    @property
    def generated(self) -> list[str]:
        """The generated lines; line 1 first."""
        return (self.function.generated or "").splitlines()

    def pairs(self, folded: bool) -> list[Pair]:
        """The rows: each of the user's lines beside the first generated line that comes from it."""
        return list(_joined(_pairs(self, folded)))


@dataclass(frozen=True, slots=True)
class Report:
    """All that is to be printed."""

    run: AutographRun
    failure: AutographFailure | None
    shown: tuple[FunctionReport, ...]
    """Functions with both sources, the user's first."""
    listed: tuple[AutographFunction, ...]
    """Functions that were not converted."""
    findings: tuple[Finding, ...] = field(default=())


def load(trace: TraceReader, name: str | None) -> Report:
    """The last run of a recording; `name`: only this function and what is written inside of it.

    Raises UsageError when there is none, or no function of this name.
    """
    run = trace.autograph.latest()
    if run is None:
        raise UsageError(
            "the recording holds nothing of AutoGraph",
            "record it with: tapeinspect record --autograph SCRIPT",
        )
    functions = trace.autograph.functions(run.id)
    if name is not None:
        functions = _named(trace, functions, name, run)
    shown = tuple(_reports(trace, run.id, functions))
    listed = tuple(f for f in functions if f.status != "converted" and f.generated is None)
    found = [*(survival.findings(trace, run.step) or ()), *trace.findings()]
    findings = tuple(f for f in found if f.step in (run.step, None) and (name is None or _within(f, shown)))
    return Report(run, trace.autograph.failure(run.id), shown, listed, findings)


def _within(finding: Finding, shown: Sequence[FunctionReport]) -> bool:
    """Whether a finding is about a line of one of these functions."""
    return any(
        finding.path == report.function.path
        and (report.function.line or 0) <= (finding.line or 0) <= (report.function.end_line or 0)
        for report in shown
    )


def _named(
    trace: TraceReader, functions: list[AutographFunction], name: str, run: AutographRun
) -> list[AutographFunction]:
    named = (
        run.function if run.status == "converted" else name
    )  # a lambda is known by another name than its own
    for wanted in (name, name.rpartition(".")[2], named):
        found = [f for f in functions if f.name == wanted or f.name.endswith(f".{wanted}")]
        own = [f for f in found if f.generated is not None] or found
        if own:
            return own[:1]
    lambdas = [f for f in functions if f.name.rpartition(".")[2] == "<lambda>" and _binds(trace, f, name)]
    if lambdas:
        return lambdas[:1]
    raise UsageError(f"there is no function {name!r} among those that the step calls")


def _binds(trace: TraceReader, function: AutographFunction, name: str) -> bool:
    """Whether the line of a lambda assigns one to a name."""
    source = next((file.source for file in trace.files() if file.path == function.path), None)
    try:
        tree = ast.parse(source or "")
    except (SyntaxError, ValueError):
        return False
    return any(
        isinstance(node, ast.Assign)
        and any(
            isinstance(part, ast.Lambda) and part.lineno == function.line for part in ast.walk(node.value)
        )
        and any(
            isinstance(part, ast.Name) and part.id == name for to in node.targets for part in ast.walk(to)
        )
        for node in ast.walk(tree)
    )


def function_reports(trace: TraceReader, run: int) -> list[FunctionReport]:
    """The functions of a run that have both sources."""
    return _reports(trace, run, trace.autograph.functions(run))


def _reports(trace: TraceReader, run: int, functions: Sequence[AutographFunction]) -> list[FunctionReport]:
    return [_report(trace, run, function) for function in functions if function.generated is not None]


def _report(trace: TraceReader, run: int, function: AutographFunction) -> FunctionReport:
    graph = trace.autograph
    marks = graph.marks(run, function.path) if function.path else {}
    span = range(function.line or 0, (function.end_line or 0) + 1)
    return FunctionReport(
        function,
        graph.lines(function.id),
        tuple(graph.folds(function.id)),
        tuple(graph.constructs(function.id)),
        {line: mark for line, mark in marks.items() if line in span},
    )


def _pairs(report: FunctionReport, folded: bool) -> Iterator[Pair]:
    original, folds = report.original, {}
    if folded:
        folds = {line: fold for fold in report.folds for line in range(fold.first, fold.last + 1)}
    next_line = min(original, default=1)
    last = max(original, default=0)
    for number, text in enumerate(report.generated, 1):
        fold = folds.get(number)
        if fold is not None:
            if fold.first == number:
                yield Pair(None, None, fold)
            continue
        line = report.lines.get(number)
        if folded and not text.strip():
            continue
        if line is None or line < next_line or line > last:
            yield Pair(None, number)
            continue
        for passed in range(next_line, line):
            yield Pair(passed, None)
        yield Pair(line, number)
        next_line = line + 1
    for passed in range(next_line, last + 1):
        yield Pair(passed, None)


def _joined(pairs: Iterator[Pair]) -> Iterator[Pair]:
    """Folds that follow each other as one."""
    waiting: AutographFold | None = None
    for pair in pairs:
        if pair.fold is None:
            if waiting is not None:
                yield Pair(None, None, waiting)
            waiting = None
            yield pair
        elif waiting is None:
            waiting = pair.fold
        else:
            kinds = dict.fromkeys([*waiting.what.split(", "), pair.fold.what])
            waiting = AutographFold(waiting.first, pair.fold.last, ", ".join(kinds))
    if waiting is not None:
        yield Pair(None, None, waiting)


def mark_text(mark: AutographMark | None) -> str:
    """The mark of a line as it stands in the gutter: `G 12`, `P`, `U 3`, `·`."""
    if mark is None:
        return ""
    if mark.mark == "G":
        return f"G {mark.ops}"
    return f"U {mark.count}" if mark.mark == "U" else mark.mark


def title(run: AutographRun) -> str:
    """What was looked at, in one line."""
    if run.status == "converted":
        return f"{run.function}: converted, not run"
    how = f"with the arguments of batch {run.step}" if run.step is not None else ""
    if run.status == "failed":
        return f"{run.function}: cannot be traced {how}".rstrip()
    seconds = f", {run.trace_seconds:.2f} s" if run.trace_seconds is not None else ""
    own = f" ({run.convert_seconds:.2f} s of it AutoGraph)" if run.convert_seconds is not None else ""
    return f"{run.function}: traced {how}: {run.ops:,} graph ops{seconds}{own}"
