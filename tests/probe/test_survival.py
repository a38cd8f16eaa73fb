"""What does not survive tracing: each rule on a step that breaks it, and silence on every other line of the corpus."""

from __future__ import annotations

import re
from collections import defaultdict
from functools import cache
from pathlib import Path

import pytest

from tapeinspect.analysis import survival
from tapeinspect.analysis.survival.problem import Problem
from tapeinspect.meanings import KNOWN
from tests.probe.recorded import HERE, Run, Runner, own

pytestmark = pytest.mark.tf
CORPUS = own("survival", recorded=False)
RECORDINGS = (CORPUS,)


@cache
def wanted() -> frozenset[tuple[int, str]]:
    """(line, rule) of each comment in the corpus."""
    lines = Path(HERE / "survival.py").read_text("utf-8").splitlines()
    return frozenset(
        (n, rule) for n, text in enumerate(lines, 1) for rule in re.findall(r"# RULE ([\w-]+)", text)
    )


@pytest.fixture(scope="module")
def run(runner: Runner) -> Run:
    run = runner.get(CORPUS)
    assert run.status == 0, run.stderr
    return run


@pytest.fixture(scope="module")
def found(run: Run) -> dict[tuple[int | None, str], list[Problem]]:
    """By (line, rule)."""
    found = defaultdict(list)
    for survey in run.trace.surveys():
        for problem in survival.problems(run.trace, survey):
            assert problem.path == str(CORPUS.script)
            found[problem.line, problem.rule].append(problem)
    return found


@pytest.mark.parametrize("rule", sorted({rule for _, rule in wanted()}))
def test_a_rule_finds_what_breaks_it(rule: str, found: dict[tuple[int | None, str], list[Problem]]) -> None:
    lines = {line for line, name in wanted() if name == rule}
    assert {line for line, name in found if name == rule} == lines
    for line in lines:
        for problem in found[line, rule]:
            assert problem.eager and problem.traced and problem.fix


def test_every_step_was_looked_at_and_nothing_was_changed(run: Run) -> None:
    assert run.truth["untouched"] is True
    assert len(run.trace.surveys()) == run.truth["steps"]


def test_nothing_else_is_found(found: dict[tuple[int | None, str], list[Problem]]) -> None:
    assert set(found) - set(wanted()) == set()


def test_what_is_said_names_the_thing(found: dict[tuple[int | None, str], list[Problem]]) -> None:
    said = " ".join(p.eager + p.traced for problems in found.values() for p in problems)
    for word in (
        "list.append",
        "np.random.normal",
        "BAG.last",
        "STATS['calls']",
        "random.random",
        "Python float RATE",
    ):
        assert word in said


def test_lines_behind_the_failure_are_told_apart(run: Run) -> None:
    (survey,) = (survey for survey in run.trace.surveys() if survey.function == "numpy_fails")
    first, *rest = survival.problems(run.trace, survey)
    assert survey.status == "failed" and first.rule == "eager-only-numpy"
    assert "AttributeError" in first.traced and "stopped" not in first.traced
    assert rest and all("Tracing stopped before this line." in problem.traced for problem in rest)


def test_nothing_of_ours_is_in_a_message(run: Run) -> None:
    (leak,) = (survey for survey in run.trace.surveys() if survey.function == "leak_fails")
    assert (
        leak.message is not None
        and "out of scope" in leak.message
        and "line 34, in operator" not in leak.message
    )
    assert all(
        "tapeinspect" not in (survey.message or "").replace(str(CORPUS.script), "") for survey in [leak]
    )


def test_findings_are_those_of_a_step(run: Run) -> None:
    for survey in run.trace.surveys()[:3]:
        findings = survival.findings(run.trace, survey.step)
        assert findings is not None
        assert [f.line for f in findings] == [p.line for p in survival.problems(run.trace, survey)]


@pytest.mark.parametrize("known", KNOWN, ids=lambda known: known.meaning.rule)
def test_every_meaning_says_what_to_do(known) -> None:  # type: ignore[no-untyped-def]
    assert known.meaning.eager and known.meaning.traced and known.meaning.fix.endswith((".", ")"))
