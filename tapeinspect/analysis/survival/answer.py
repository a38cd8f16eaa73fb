"""From a recording to what of its step does not survive tracing."""

from __future__ import annotations

import ast

from tapeinspect.analysis.survival.problem import Problem
from tapeinspect.analysis.survival.rules import RULES, frozen_attribute
from tapeinspect.meanings import meaning
from tapeinspect.source import Source
from tapeinspect.trace.reader import TraceReader
from tapeinspect.trace.records import Finding, Survey

__all__ = ["Problem", "explain_failure", "findings", "problems"]


def findings(reader: TraceReader, step: int | None = None) -> list[Finding] | None:
    """What does not survive tracing, as the last look at a step showed; None when nobody has looked.

    `step`: that of this step where there is one. Every finding has the user's file and line where they are known.
    """
    surveys = reader.surveys()
    of_step = [survey for survey in surveys if step is not None and survey.step == step]
    chosen = (of_step or surveys)[-1:]
    return [problem.finding(s.step) for s in chosen for problem in problems(reader, s)] if chosen else None


def problems(reader: TraceReader, survey: Survey) -> list[Problem]:
    """What one look at a step showed, in the order of files and lines; what tracing failed with comes first."""
    sources = {file.path: Source(file.source) for file in reader.files() if file.role == "user"}
    unknown = Source(None)
    found: dict[tuple[str, str | None, int | None], Problem] = {}
    for fact in reader.survey_facts(survey.id):
        source = sources.get(fact.path, unknown)
        step = survey.function.rpartition(".")[2]
        for problem in (*(rule(fact, source) for rule in RULES), frozen_attribute(fact, sources, step)):
            if problem is not None:
                found.setdefault((problem.rule, problem.path, problem.line), problem)
    ordered = sorted(found.values(), key=lambda p: (p.path or "", p.line or 0, p.rule))
    if survey.status == "failed":
        source = sources.get(survey.path or "", unknown)
        failure = _failure(survey, source)
        same = (failure.path, failure.line)
        ordered = [failure, *(p for p in ordered if (p.path, p.line) != same or p.rule != failure.rule)]
    return ordered


def _failure(survey: Survey, source: Source) -> Problem:
    statement = source.statement(survey.line) if survey.line is not None else None
    return explain_failure(
        survey.type or "an error", survey.message or "", statement, survey.path, survey.line
    )


def explain_failure(
    error: str, message: str, statement: ast.stmt | None, path: str | None, line: int | None
) -> Problem:
    """What an error that tracing failed with means. `statement`: the user's line that it came from, where known."""
    known = meaning(error, message, statement)
    first = message.strip().partition("\n")[0].rstrip(".")
    said = f"Tracing fails here: {error}: {first}."
    if known is None:
        return Problem(
            "fails-to-trace",
            "error",
            path,
            line,
            said,
            "",
            "Look at the line and what it is given: while tracing, tensors have shapes and dtypes but no values.",
        )
    return Problem(known.rule, "error", path, line, known.eager, f"{known.traced} {said}", known.fix)
