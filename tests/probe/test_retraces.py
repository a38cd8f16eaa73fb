"""Every trace of every tf.function: TensorFlow's own count, the cause of each, and advice that was tried."""

from __future__ import annotations

from collections import Counter

import pytest

from tapeinspect.probe.tracing.retraces import _kind
from tapeinspect.trace.records import FunctionTrace
from tests.probe.recorded import Run, Runner, own

pytestmark = pytest.mark.tf
RECORDING = own("retraces", "--mode", "graph")
RECORDINGS = (RECORDING,)


def traces(run: Run, name: str) -> list[FunctionTrace]:
    return [trace for trace in run.trace.traces() if trace.function == name]


@pytest.fixture(scope="module")
def run(runner: Runner) -> Run:
    return runner.get(RECORDING)


def test_as_many_traces_as_tensorflow_counts(run: Run) -> None:
    assert run.status == 0
    counted = Counter(trace.function for trace in run.trace.traces())
    assert {name: counted[name] for name in run.truth} == run.truth


@pytest.mark.parametrize(
    ("name", "cause", "argument", "why"),
    [
        ("by_value", "value", "n", "the Python value of n changed from 1 to 2"),
        ("by_shape", "shape", "x", "the shape of x changed from (7, 3) to (6, 3)"),
        ("by_dtype", "dtype", "x", "the dtype of x changed from float64 to int32"),
        ("by_rank", "rank", "x", "the number of dimensions of x changed: (2, 2) to (2, 2, 2)"),
        ("by_object", "object", "config", "config is another object than before: Config object"),
        ("by_death", "died", "config", "the object passed as config before is gone"),
        ("by_structure", "structure", "batch", "the structure of batch changed: list of 3 to list of 4"),
        ("by_nested", "value", "options['rate']", "the Python value of options['rate'] changed from 1 to 2"),
        ("by_type", "type", "scale", "scale was Tensor() float32 and is Python float 3.0"),
        ("by_variable", "variable", "v", "changed from Variable(3,) float32 to Variable(4,) float32"),
        (
            "by_arguments",
            "arguments",
            None,
            "other arguments were given: x, rest_0, rest_1 rather than x, rest_0",
        ),
        ("made_anew", "new-function", None, "a tf.function was made anew of the same Python function"),
        ("method", "instance", "self", "it is a method of another Model object"),
    ],
)
def test_the_cause_of_the_third_trace(
    run: Run, name: str, cause: str, argument: str | None, why: str
) -> None:
    third = traces(run, name)[2]
    assert (third.cause, third.argument) == (cause, argument)
    assert why in third.why and third.retrace
    (finding,) = (f for f in run.trace.findings() if f.message.startswith(f"{name} "))
    assert (finding.rule, finding.severity) == (f"retrace-{cause}", "warning")
    assert finding.line == third.caller_line and finding.hint.startswith(third.advice)


def test_the_caller_is_the_users_line(run: Run) -> None:
    (inner,) = traces(run, "inner")
    assert "NESTED CALL" in run.source[(inner.caller_line or 0) - 1]
    assert inner.caller_path == str(run.recording.script)
    outer = traces(run, "outer")[0]
    assert run.source[(outer.caller_line or 0) - 1] == "outer(tf.ones(2))"
    assert outer.seconds is not None and inner.seconds is not None and outer.seconds > inner.seconds > 0


def test_variables_made_in_the_first_call_are_no_retrace(run: Run) -> None:
    first, second = traces(run, "creates")
    assert (first.cause, second.cause, second.retrace) == ("first", "variables", False)


@pytest.mark.parametrize(
    ("name", "advice", "checked"),
    [
        (
            "by_value",
            "Pass n as a tensor, such as tf.constant(n)",
            "4 kinds of calls seen so far then take 1 trace",
        ),
        ("by_shape", "input_signature=[tf.TensorSpec([None, 3], tf.float32)]", "then take 1 trace"),
        ("by_shape_and_flag", "reduce_retracing=True", "4 kinds of calls seen so far then take 2 traces"),
        ("by_rank", "input_signature=[tf.TensorSpec(None, tf.float32)]", "then take 1 trace"),
        ("by_dtype", "tf.cast(x, tf.float64)", None),
    ],
)
def test_advice_is_tried_where_it_can_be(run: Run, name: str, advice: str, checked: str | None) -> None:
    last = traces(run, name)[-1]
    assert advice in last.advice
    assert last.checked is None if checked is None else checked in (last.checked or "")


def test_the_advice_given_is_true(run: Run) -> None:
    """The script follows it, under TensorFlow itself."""
    assert run.truth["signed"] == 1 and run.truth["tensors"] == 1 and run.truth["reduced"] == 2


def test_a_trace_that_fails_is_there(run: Run) -> None:
    (broken,) = traces(run, "broken")
    assert broken.nodes == 0 and "caught" in run.stdout


def test_nothing_is_said_of_healthy_functions(run: Run) -> None:
    healthy = ("healthy", "fold_step", "creates", "inner", "outer", "Dataset", "signed", "tensors", "reduced")
    assert [f.message for f in run.trace.findings() if f.message.startswith(healthy)] == []
    mapped = [trace for trace in run.trace.traces() if trace.kind == "dataset"]
    assert len(mapped) == 3 and all("map" in trace.function and not trace.retrace for trace in mapped)


def test_datasets_that_keras_makes_are_its_own() -> None:
    def role_of(path: str) -> str:
        return "user" if path.startswith("/home") else "library"

    data = [
        ("/site/tensorflow/python/data/ops/map_op.py", 3),
        ("/site/tensorflow/python/util/dispatch.py", 4),
    ]
    script = ("/home/train.py", 9)
    assert _kind("Dataset_map_f", "library", [*data, script], role_of) == "dataset"
    assert (
        _kind(
            "Dataset_map_f", "library", [*data, ("/site/keras/src/trainers/trainer.py", 5), script], role_of
        )
        == "library"
    )
    assert _kind("f", "user", [script], role_of) == "function"
    assert _kind("_next_func", "library", [*data, script], role_of) == "library"
