"""The step compiled by XLA and after Grappler, held against what TensorFlow itself does."""

from __future__ import annotations

from typing import Any

import pytest

from tapeinspect.probe.diff.grappler import Node, compare_graphs
from tapeinspect.probe.diff.listed import OpList
from tapeinspect.probe.diff.watch import Places
from tests.probe.recorded import Runner, own

SCRIPT = own("compiled", recorded=False)
RECORDINGS = (SCRIPT,)


@pytest.fixture(scope="session")
def truth(runner: Runner) -> Any:
    """What came of each step, and what TensorFlow does with it."""
    return runner.get(SCRIPT).truth


@pytest.mark.tf
def test_what_compiles_is_what_tensorflow_compiles(truth: Any) -> None:
    """A step is said to compile exactly where jit_compile=True accepts it."""
    for name, compiles in truth["compiles"].items():
        assert (truth["steps"][name]["compiled"] != "not_compiled") == compiles, name
    assert set(truth["compiles"].values()) == {True, False}


@pytest.mark.tf
@pytest.mark.parametrize(
    ("name", "line", "word"),
    [
        ("prints", "tf.print(", "StringFormat"),
        ("calls_python", "tf.numpy_function(", "PyFunc"),
        ("unsupported_in_branch", "tf.histogram_fixed_width(", "HistogramFixedWidth"),
        ("text", "@step", "string"),
    ],
)
def test_what_cannot_be_compiled_is_a_result(truth: Any, name: str, line: str, word: str) -> None:
    """The op and the user's line, in branches too."""
    (finding,) = truth["steps"][name]["findings"]
    assert finding[:2] == ["xla-not-compiled", "warning"]
    assert line in finding[2] and word in finding[3]


@pytest.mark.tf
@pytest.mark.parametrize("name", ["plain", "loops", "fused"])
def test_healthy_steps_are_the_same_compiled(truth: Any, name: str) -> None:
    """No finding, and gradients and variables were compared."""
    step = truth["steps"][name]
    assert (step["verdict"], step["compiled"], step["findings"]) == ("same", "same", [])
    assert {"output", "gradient", "variable"} == {value[0] for value in step["values"]}
    assert step["seconds"][1] > step["seconds"][0] > 0


@pytest.mark.tf
def test_checks_that_xla_drops_are_named(truth: Any) -> None:
    """As TensorFlow does: the bad value passes when compiled; it is no difference by itself."""
    step = truth["steps"]["checks"]
    assert truth["lets_through"] and step["verdict"] == "same"
    assert {f[0] for f in step["findings"]} == {"xla-drops-check"}
    assert sorted(f[2][:20] for f in step["findings"]) == ["return train(tf.debu", "tf.debugging.assert_"]


@pytest.mark.tf
@pytest.mark.parametrize("name", ["random", "keras_model"])
def test_random_numbers_are_no_difference(truth: Any, name: str) -> None:
    """XLA draws others: that is said, and nothing is compared."""
    step = truth["steps"][name]
    assert (step["verdict"], step["compiled"], step["values"]) == ("same", "random", [])


@pytest.mark.tf
def test_what_grappler_does(truth: Any) -> None:
    """Fused, folded and removed ops, each at its line; nothing of the script is changed."""
    found = truth["steps"]["fused"]["rewritten"]
    fused = [r for r in found if r[0] == "fused" and r[3].startswith("h = ")]
    assert [r[1:3] for r in fused] == [[t, "_FusedMatMul"] for t in ("MatMul", "BiasAdd", "Relu")]
    assert [r[:2] for r in found if r[3].startswith("y = ")] == [["removed", "Transpose"]] * 2
    assert [r[:2] for r in found if r[3].startswith("scale")] == [["folded", "Mul"]]
    assert not any(step["changed"] for step in truth["steps"].values())
    assert truth["steps"]["fails"]["rewritten"] is False and truth["steps"]["fails"]["notes"]


def test_graphs_by_hand() -> None:
    """A dissolved call is not removed, what it held is not added, and a constant's consumer is folded."""
    before = {
        n.name: n
        for n in (Node("c", "Const"), Node("x", "_Arg"), Node("f", "PartitionedCall", ("x",)),
                  Node("m", "Mul", ("c", "c")), Node("r", "RandomUniform", ("c",)), Node("a", "AddV2", ("x", "r")))
    }  # fmt: skip
    after = {
        n.name: n for n in (Node("x", "_Arg"), Node("f/mul", "Mul"), Node("a", "Sub"), Node("new", "Rsqrt"))
    }
    found = compare_graphs(before, after, OpList(Places(lambda path: "user")))
    assert [(r.change, r.type, r.into) for r in found] == [
        ("folded", "Mul", "Const"), ("removed", "RandomUniform", ""), ("replaced", "AddV2", "Sub"),
        ("added", "Rsqrt", ""),
    ]  # fmt: skip


@pytest.mark.tf
@pytest.mark.parametrize("name", ["plain", "keras_model", "checks", "loops"])
def test_ops_fetched_from_the_graph_are_those_that_a_trace_for_them_finds(truth: Any, name: str) -> None:
    """The same pairs and verdicts, without that trace; bodies of loops and branches cannot be fetched from."""
    fetched, traces, watched, more_traces = truth["fetched"][name]
    assert fetched == watched and len(fetched) > 10
    assert (traces, more_traces) == ((1, 1) if name in ("loops", "checks") else (0, 1))


@pytest.mark.tf
def test_a_step_that_is_given_a_model_is_measured_and_fetched_from(truth: Any) -> None:
    """The graph's signature has nothing that a model, an optimizer or a function would fit."""
    notes, seconds, memory, traces = truth["objects"]
    assert notes == [] and seconds > 0 and memory is not None and traces == 0


@pytest.mark.tf
def test_what_it_costs_to_watch_a_trace_is_known(truth: Any) -> None:
    """The time of a trace is told less what watching cost; that is a third of a watched one, or more."""
    plain, watched, told = truth["watched"]
    assert abs(watched - plain - told) < 0.6 * plain
    assert told > 0.2 * plain
