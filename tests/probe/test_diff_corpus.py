"""What the comparison of eager and traced says of the gotchas of TensorFlow's guides, and of their near misses."""

from __future__ import annotations

import ast
from typing import Any

import pytest

from tests.probe.recorded import HERE, Runner, own

pytestmark = pytest.mark.tf

CORPUS = own("diff_corpus", recorded=False)
RECORDINGS = (CORPUS,)
NAMES = [
    node.name
    for node in ast.parse((HERE / "diff_corpus.py").read_text("utf-8")).body
    if isinstance(node, ast.FunctionDef)
    and any(isinstance(d, ast.Call) and ast.unparse(d.func) == "case" for d in node.decorator_list)
] + ["method"]


@pytest.fixture(scope="session")
def cases(runner: Runner) -> dict[str, Any]:
    """What was found out about each case, by name."""
    return {case["name"]: case for case in runner.get(CORPUS).truth["cases"]}


@pytest.mark.parametrize("name", NAMES)
def test_each_case_gets_its_verdict(cases: dict[str, Any], name: str) -> None:
    """The verdict, the rules and the line are those the case names, and no others."""
    case = cases[name]
    verdict, rules, line = case["expected"]
    found = case["findings"]
    assert (case["verdict"], sorted(f[0] for f in found)) == (verdict, sorted(rules)), found
    if line is not None:
        assert any(line in f[2] for f in found), found


@pytest.mark.parametrize("name", NAMES)
def test_nothing_of_the_script_is_changed(cases: dict[str, Any], name: str) -> None:
    """Variables, optimizers, containers, attributes, globals, files and generators are as before, bit for bit."""
    assert cases[name]["changed"] == []


def test_the_scripts_random_numbers_go_on(runner: Runner) -> None:
    """A comparison that draws random numbers takes none of the script's."""
    without, after = runner.get(CORPUS).truth["streams"]
    assert without == after


def test_random_numbers_of_both_ways_are_equal(cases: dict[str, Any]) -> None:
    """Stateful ops and Keras' dropout draw the same eagerly and traced, in loops and in later calls, too."""
    for name in ("random_in_loops", "tensorflow_random", "keras_model"):  # a graph may add in another order
        assert {value[3] for value in cases[name]["values"]} <= {"bit-equal", "rounding"}


def test_ops_of_healthy_steps_line_up(cases: dict[str, Any]) -> None:
    """No op is left over, not even in loops and branches; constants and shapes are folded away."""
    for name in ("plain", "loops", "random_in_loops", "keras_model", "sparse_gradient", "defined_in_both"):
        assert cases[name]["alone"] == [], name
    assert cases["loops"]["relations"]["equal"] > 20


def test_loops_backward_is_told_apart(cases: dict[str, Any]) -> None:
    """The gradient of a loop's constant is computed in the graph alone."""
    assert set(cases["loop_with_gradient"]["alone"]) == {"traced Mul", "traced Sum"}


def test_the_first_op_that_differs_is_named(cases: dict[str, Any]) -> None:
    """The op whose values differ, not one that follows from it."""
    case = cases["asks_how_it_runs"]
    assert case["first"] in ("AddV2", "Mul")
    assert "beyond rounding" in case["findings"][0][3]
    assert "which only the" in case["findings"][0][3]
    assert cases["wrong_noise"]["first"] == "Mul"


def test_what_to_write_instead_is_said(cases: dict[str, Any]) -> None:
    """The classic line of the tutorial: what fails, why, and what works."""
    (finding,) = cases["tutorial"]["findings"]
    assert "fails to trace" in finding[3] and "`.numpy()` exists only eagerly" in finding[3]
    assert "tf.reduce_mean(loss_value)" in finding[4]
    (mended,) = cases["tutorial_mended_half"]["findings"]
    assert "once per trace" in mended[3] and "`history`" in mended[3]


def test_times_are_measured(cases: dict[str, Any]) -> None:
    """Tracing takes longer than a traced call, and all three are there."""
    eager, traced, trace, _ = cases["keras_model"]["seconds"]
    assert eager > 0 and traced > 0 and trace > traced
