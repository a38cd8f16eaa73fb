"""What steps were called with."""

from __future__ import annotations

import gc
from typing import Any, NamedTuple

import pytest

from tapeinspect.trace.records import Argument, Step
from tests.probe.recorded import Run, Runner, own

pytestmark = pytest.mark.tf
ARGUMENTS = own("arguments")
RECORDINGS = (ARGUMENTS,)


@pytest.fixture(scope="module")
def run(runner: Runner) -> Run:
    run = runner.get(ARGUMENTS)
    assert run.status == 0, run.stderr
    return run


def calls(run: Run, function: str) -> list[Step]:
    found = [step for step in run.steps() if step.function == function]
    assert len(found) == 2
    return found


def by_name(step: Step) -> dict[str, Argument]:
    return {argument.name: argument for argument in step.args}


def test_every_kind_of_parameter(run: Run) -> None:
    for turn, step in enumerate(calls(run, "positional")):
        args = by_name(step)
        assert set(args) == {"x", "scale", "rest", "flag", "others"}
        assert all(argument.exact for argument in step.args)
        assert (args["x"].kind, args["x"].spec.dtype, args["x"].spec.shape) == ("tensor", "float32", (2,))
        assert run.trace.producer(args["x"].tensor) is None or args["x"].tensor > 0
        first = next(op for op in run.of_step(step.id) if op.row.type == "Mul")
        assert args["x"].tensor in first.inputs
        assert (args["scale"].kind, args["scale"].text) == ("python", repr(2.0 + turn))
        assert args["flag"].text == "False"
        assert args["rest"].kind == "structure" and "'more', 7" in args["rest"].text
        assert "extra" in args["others"].text


def test_names_bound_anew_before_the_first_op_are_not_exact(run: Run) -> None:
    for step in calls(run, "rebound"):
        exact = {argument.name: argument.exact for argument in step.args}
        assert exact == {"x": False, "y": True, "z": False}


def test_names_bound_anew_by_the_first_op_are_exact(run: Run) -> None:
    first, second = calls(run, "rebound_by_an_op")
    assert not first.args[0].exact, "only its tape told that it is a step"
    exp = next(op for op in run.of_step(second.id) if op.row.type == "Exp")
    assert second.args[0].exact and second.args[0].tensor == exp.inputs[0]


def test_structures_arrays_variables_and_plain_values(run: Run) -> None:
    for step in calls(run, "structures"):
        args = by_name(step)
        kinds = {name: argument.kind for name, argument in args.items()}
        assert kinds == {
            "pair": "structure",
            "table": "structure",
            "array": "array",
            "variable": "variable",
            "text": "python",
            "nothing": "python",
            "function": "python",
        }
        assert args["array"].spec.shape == (2,) and args["array"].spec.dtype == "float32"
        assert args["variable"].spec.shape == (2,)
        assert (args["text"].text, args["nothing"].text) == ("'text'", "None")
        assert "grad" in args["function"].text
        assert "a" in args["table"].text


def test_methods(run: Run) -> None:
    for step in calls(run, "step"):
        assert [argument.name for argument in step.args] == ["self", "x"]
        assert "Trainer" in step.args[0].text


class Pair(NamedTuple):
    left: Any
    right: Any


class Trainer:
    """An object of the script's."""


class Slotted:
    """One of which there are no weak references."""

    __slots__ = ("count",)


def test_kept_arguments_come_back_and_keep_no_object_alive() -> None:
    import numpy as np
    import tensorflow as tf

    from tapeinspect.probe import arguments

    tensor, array, trainer = tf.constant([1.0]), np.ones(2), Trainer()
    values = {"self": trainer, "x": [tensor, {"a": array}], "rest": (1, "two", None), "pair": Pair(tensor, 2)}
    kept = arguments.keep(arguments.Captured(values, frozenset()), 1000)
    array[:] = 7.0
    found = arguments.given(kept)
    assert found["self"] is trainer and found["x"][0] is tensor and found["rest"] == (1, "two", None)
    assert found["x"][1]["a"].tolist() == [1.0, 1.0]
    assert isinstance(found["pair"], Pair) and found["pair"].left is tensor
    del trainer, found, values
    gc.collect()
    with pytest.raises(LookupError, match=r"self.*the script has dropped it"):
        arguments.given(kept)
    with pytest.raises(LookupError, match=r"x.*too large"):
        arguments.given(arguments.keep(arguments.Captured({"x": array}, frozenset()), 1))
    no_weak_references = arguments.Captured({"self": Slotted()}, frozenset())
    with pytest.raises(LookupError, match=r"self.*Slotted has no weak references: add '__weakref__' to its"):
        arguments.given(arguments.keep(no_weak_references, 1000))
