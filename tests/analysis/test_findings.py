"""The list of findings: which rules are asked, in which order, each thing once."""

from __future__ import annotations

from pathlib import Path

import pytest

from tapeinspect.analysis.findings import Settings, find, settings
from tapeinspect.analysis.health.rules import BY_ID, RULES
from tapeinspect.errors import UsageError
from tapeinspect.trace.reader import TraceReader, open_trace
from tests.trace.builders import Recording

PATH = "/home/user/train.py"


def still_variable(path: Path, steps: int = 4, stored: bool = False) -> TraceReader:
    """Steps in which two variables have gradients and one of them is never assigned to."""
    made = Recording(path)
    made.variable(1, "kernel", handle=1)
    made.variable(2, "frozen", handle=2)
    for step in range(1, steps + 1):
        first = made.ops + 1
        read = made.op("ReadVariableOp", [1], step=step, tapes=[step])
        loss = made.op("Sum", [read], step=step, tapes=[step])
        made.tape(step, first, made.ops, step)
        made.call(step, step, [loss], None, None, step)
        for variable in (1, 2):
            made.gradient(step, variable, 0.1 * (2 * step + variable), step)
            assigned = variable == 1
            state = (1.0, -1.0, 1.0, 0.0, 0, 0, 0.0, 0.01 if assigned else None, int(assigned))
            made.writer.insert("variable_step", [(step, variable, *state)])
        made.op("AssignVariableOp", [1, read], step=step)
        made.step(step, first, made.ops)
    if stored:
        rows = [(1, "own", "info", 2, None, 1, 3, "one", ""), (2, "own", "error", 2, None, 1, 3, "two", "")]
        made.writer.insert("finding", [*rows, (3, "own", "error", 2, None, 1, 3, "two", "")])
    return open_trace(made.done())


def test_a_variable_that_stands_still(tmp_path: Path) -> None:
    (found,) = find(still_variable(tmp_path / "a.tape"))
    assert (found.rule, found.severity, found.path, found.line) == ("never-changes", "warning", PATH, 20)
    assert "frozen has a gradient in all 4 batches" in found.message and "kernel is updated" in found.message


def test_a_figure_can_be_adjusted_and_a_rule_left_out(tmp_path: Path) -> None:
    reader = still_variable(tmp_path / "a.tape")
    assert find(reader, settings(["never-changes=5"])) == []
    assert len(find(reader, settings(["never-changes=4"]))) == 1
    assert find(reader, settings([], ["never-changes"])) == []


def test_stored_findings_come_too_the_worst_first_each_once(tmp_path: Path) -> None:
    reader = still_variable(tmp_path / "a.tape", stored=True)
    assert [item.message[:3] for item in find(reader)] == ["two", "fro", "one"]
    assert [item.rule for item in find(reader, Settings(off=frozenset({"own"})))] == ["never-changes"]


def test_too_few_batches_say_nothing(tmp_path: Path) -> None:
    assert find(still_variable(tmp_path / "a.tape", steps=2)) == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("dead", "there is no rule 'dead'"),
        ("dead-relu=many", "'many' in --rule dead-relu=many is not a number"),
        ("softmax-of-one=1", "the rule softmax-of-one has no figure to adjust"),
    ],
)
def test_what_is_no_setting(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message.replace("[", r"\[")) as caught:
        settings([text])
    assert caught.value.hint


def test_a_rule_that_is_off_is_asked_by_name() -> None:
    assert settings(["update-ratio"]).on == {"update-ratio"}
    assert settings(["update-ratio=10"]).limits == {"update-ratio": 10.0}
    assert [rule.id for rule in RULES if not rule.on] == ["dropout-rate", "learning-rate", "update-ratio"]


def test_every_rule_says_what_it_means_and_where_its_figure_is_from() -> None:
    assert len(BY_ID) == len(RULES)
    for rule in RULES:
        assert rule.source.endswith(".") and rule.meaning
        assert ("{limit}" in rule.meaning) == (rule.limit is not None), rule.id
