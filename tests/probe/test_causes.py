"""Why gradients are None and where NaN came from, on programs that TensorFlow ran: each culprit is marked there."""

from __future__ import annotations

from typing import Final

import pytest

from tapeinspect.analysis import causes
from tapeinspect.analysis.nan_origin import Origin, origin_of_step
from tapeinspect.analysis.none_gradient import explain
from tapeinspect.trace.records import Gradient, Reason
from tests.probe.recorded import Run, Runner, own

NONE, NAN = own("none_cases"), own("nan_cases")
RECORDINGS = (NONE, NAN)

WHY: Final = {
    "never_read": "is not read while the tape is open",
    "read_before": "is used only before the tape was opened",
    "read_after": "is used only after the tape was closed",
    "read_before_only": "is used only before the tape was opened",
    "off_the_way": "No recorded op connects",
    "while_stopped": "only while the tape's recording was stopped",
    "argmax": "ArgMax has no gradient",
    "rounding": "Round has no gradient",
    "to_integer": "Cast gives int32, which has no gradient",
    "equality": "Equal has no gradient",
    "comparison": "Greater has no gradient",
    "stopped": "StopGradient has no gradient",
    "stopped_variable": "StopGradient has no gradient",
    "second_of_linear": "is a gradient that does not depend on w",
    "before_reset": "only before the tape was reset",
    "variable_while_stopped": "only while the tape's recording was stopped",
    "one_hot": "TopKV2 gives int32 there",
    "assigned": "writes it into a variable",
    "variable_numpy": "leaves TensorFlow at line {line}, in `w.numpy()`",
    "tensor_numpy": "leaves TensorFlow at line {line}, in `scores.numpy()`",
    "keras_predict": "leaves TensorFlow at line {line}, in `model.predict(x, verbose=0)`",
    "predict_of_its_own": "ArgMax has no gradient",
    "numpy_mean": "in `np.mean(scores)`",
    "python_float": "in `float(tf.reduce_mean(w))`",
    "python_float_of_name": "in `float(scale)`",
    "variable_constant": "in `tf.constant(w)`",
    "in_a_helper": "in `np.clip(scores, 0, 1)`",
    "numpy_function": "in `tf.numpy_function(",
    "looked_at_only": "No recorded op connects",
    "logged_beside": "No recorded op connects",
    "in_a_method": "in `scores.numpy()`",
    "replaced_by_a_tensor": "`w = w - 0.1 * gradient` at line {line} bound the name to a tensor",
    "rebuilt": "dense_1/kernel, was made anew at line {line}",
    "not_trainable": "is not trainable",
    "watches_by_hand": "watch_accessed_variables=False",
    "integer_variable": "is of type int32, and only floats have gradients",
    "target_before": "The target was computed before the tape was opened",
    "target_after": "The target was computed after the tape was closed",
    "target_from_numpy": "the target is a constant made of what came of it",
    "integer_target": "ArgMax has no gradient",
    "not_watched": "a tensor that the tape does not watch",
    "watched_too_late": "only before tape.watch was called",
    "a_copy": "is a copy that `tf.identity(w)` made",
    "a_converted_copy": "is a copy that `tf.convert_to_tensor(w)` made",
    "a_later_tensor": "The target does not depend on shown, which Relu",
    "used_after_the_call": "No recorded op connects",
    "custom_none": "the gradient function of `nothing` gave None",
    "handed_to_argmax": "ArgMax has no gradient",
    "a_list_of_parts": "in `float(value)`",
    "one_element": "in `scores.numpy()[0, 0].item()`",
    "both_ways_blocked": "Round has no gradient",
}
WITHOUT_LINE: Final = ("never_read", "second_of_linear", "looked_at_only", "used_after_the_call")
"""Cases in which no single line is to blame."""

ORIGINS: Final = {
    "log_of_zero": ("forward", "Log", "Log(0) = -Inf at [1]", "tf.math.log(x + 1e-7)"),
    "division": ("forward", "RealDiv", "1 / 0 = Inf", "divide_no_nan"),
    "softmax_by_hand": ("forward", "Exp", "RealDiv at nan_cases.py", "tf.nn.softmax(x) does not overflow"),
    "log_softmax_by_hand": ("forward", "Log", "Mul at nan_cases.py", "tf.nn.log_softmax(logits)"),
    "root_of_negative": ("forward", "Sqrt", "Sqrt(-0.5) = NaN", "tf.maximum(x, 0.0)"),
    "arc_cosine": ("forward", "Acos", "Acos(1.5) = NaN", "tf.clip_by_value"),
    "power_of_negative": ("forward", "Pow", "-1 ** 0.3 = NaN", "tf.maximum(x, 1e-7) ** p"),
    "mean_of_nothing": ("forward", "Mean", "no elements", "no elements is NaN"),
    "overflow_of_half": ("forward", "Cast", "Cast(1e+05) = Inf", "65,504"),
    "overflow_of_square": ("forward", "Square", "Square(1e+25) = Inf", "learning rate"),
    "overflow_of_power": ("forward", "Pow", "1e+12 ** 4 = Inf", "learning rate"),
    "all_masked": ("forward", "Softmax", "hold only Inf", "-1e9"),
    "bad_argument": ("forward", "Mul", "The argument x of bad_argument", "where the data are read"),
    "bad_dataset": ("forward", "IteratorGetNext", "What the dataset gives", "where the data are read"),
    "bad_constant": ("forward", "Mul", "already holds Inf", "where the data are read"),
    "root_at_zero": ("backward", "SqrtGrad", "going back through Sqrt", "tf.sqrt(x + 1e-7)"),
    "norm_at_zero": ("backward", "SqrtGrad", "the gradient of w", "norm at 0"),
    "deviation_of_equals": ("backward", "SqrtGrad", "SqrtGrad(0, 1) = Inf", "standard deviation"),
    "power_at_zero": ("backward", "Pow", "The backward pass of Pow", "infinite at 0"),
    "arc_cosine_at_one": ("backward", "Reciprocal", "going back through Acos", "infinite at -1 and 1"),
    "where_guard": ("backward", "Reciprocal", "going back through Log", "tf.where picks the forward value only"),
    "of_rows": ("backward", "SqrtGrad", "at [1, 0]", "tf.sqrt(x + 1e-7)"),
    "own_gradient": ("backward", "Identity", "The gradient function of Identity", "tf.custom_gradient"),
    "by_the_update": ("backward", "SqrtGrad", "going back through Sqrt", "tf.sqrt(x + 1e-7)"),
    "rate_overflows": ("update", "Mul", "1e+30 * 1e+30 = Inf", "learning rate"),
}  # fmt: skip
FINE: Final = (
    "masked_attention", "maximum_so_far", "metric_beside", "safe_division", "scaled_and_skipped",
)  # fmt: skip


def marked(run: Run) -> dict[str, int]:
    """The line that each function marks with HERE, also that of a class or a helper for the case that uses it."""
    found: dict[str, int] = {}
    name = ""
    for number, text in enumerate(run.source, 1):
        if text.startswith(("def ", "class ")):
            name = text.split()[1].split("(")[0].rstrip(":")
        if text.endswith("# HERE"):
            found[name] = number
    uses = {"in_a_helper": "helper", "in_a_method": "Model", "rebuilt": "Rebuilt"}
    return {**found, **{case: found[used] for case, used in uses.items() if used in found}}


@pytest.fixture(scope="module")
def reasons(runner: Runner) -> dict[str, Reason]:
    """The reason of each case; the case is told by the function that called `tape.gradient`."""
    run = runner.get(NONE)
    calls = {call.id: call for call in run.trace.gradient_calls(None)}

    def case(gradient: Gradient) -> str:
        user = run.trace.stack(calls[gradient.call].stack).user
        return user.function if user is not None else ""

    missing = [gradient for gradient in run.trace.gradients(None) if gradient.form == "none"]
    return {case(gradient): explain(run.trace, gradient) for gradient in missing}


def test_every_none_and_nothing_else_is_explained(runner: Runner, reasons: dict[str, Reason]) -> None:
    told = {name for name, nones in runner.get(NONE).truth if any(nones[:2])}
    assert set(reasons) == told == set(WHY)


@pytest.mark.parametrize("case", WHY)
def test_a_reason_names_the_cause_and_its_line(runner: Runner, reasons: dict[str, Reason], case: str) -> None:
    line, reason = marked(runner.get(NONE)).get(case), reasons[case]
    assert WHY[case].format(line=line) in reason.message
    assert reason.hint
    if case not in WITHOUT_LINE:
        assert reason.line == line is not None


def test_a_way_leads_to_the_op_that_breaks_it(reasons: dict[str, Reason]) -> None:
    ways = {
        case: [step.type for step in reasons[case].steps] for case in ("argmax", "tensor_numpy", "one_hot")
    }
    assert ways == {
        "argmax": ["ReadVariableOp", "MatMul", "ArgMax"],
        "tensor_numpy": ["ReadVariableOp", "MatMul"],
        "one_hot": ["ReadVariableOp", "MatMul", "TopKV2"],
    }
    assert [step.line for step in reasons["argmax"].steps][-1] == reasons["argmax"].line


def test_findings_of_gradients_that_are_none(runner: Runner) -> None:
    run = runner.get(NONE)
    lines = marked(run)
    found = list(causes.find(run.trace))
    at = {item.line: item for item in found if item.rule == "none-gradient"}
    assert at[lines["argmax"]].severity == "error", "every gradient of the call is None"
    assert at[lines["stopped"]].severity == "warning", "another source of the call has one"
    (twice,) = (item for item in found if item.rule == "tape-used-twice")
    assert twice.line == lines["second_use"]
    assert twice.severity == "error" and f"first at line {lines['second_use'] - 1}" in twice.message
    assert "persistent=True" in twice.hint


@pytest.fixture(scope="module")
def bad(runner: Runner) -> dict[str, list[Origin]]:
    """The origins found in the batches of each case."""
    run = runner.get(NAN)
    found: dict[str, list[Origin]] = {}
    for step in run.steps():
        origin = origin_of_step(run.trace, step.id)
        if origin is not None:
            found.setdefault(step.function, []).append(origin)
    return found


def test_an_origin_for_each_bad_batch_and_for_no_other(runner: Runner, bad: dict[str, list[Origin]]) -> None:
    told: dict[str, int] = {}
    for name, *finite in runner.get(NAN).truth:
        told[name] = told.get(name, 0) + (not all(finite))
    told["bad_dataset"] = 1
    assert {name: len(bad.get(name, [])) for name in told} == told
    assert set(bad) == set(ORIGINS)
    assert all(told[name] == 0 for name in FINE)


@pytest.mark.parametrize("case", ORIGINS)
def test_an_origin_names_op_line_values_and_remedy(
    runner: Runner, bad: dict[str, list[Origin]], case: str
) -> None:
    stage, type, said, hint = ORIGINS[case]
    line = marked(runner.get(NAN))[case]
    for origin in bad[case]:
        assert (origin.stage, origin.type, origin.line) == (stage, type, line)
        assert said in origin.message or case == "by_the_update"
        assert hint in origin.hint
        assert origin.steps and origin.steps[0].op == origin.op


def test_weights_lead_back_to_the_gradient_that_spoilt_them(bad: dict[str, list[Origin]]) -> None:
    first, second = bad["by_the_update"]
    assert (first.op, first.reaches[:15]) == (second.op, "the gradient of")
    assert second.reaches == "the loss"
    assert second.step == first.step
    assert {"AssignSubVariableOp", "ReadVariableOp"} <= {step.type for step in second.steps}


def test_a_backward_op_is_told_by_its_forward_op(bad: dict[str, list[Origin]]) -> None:
    (origin,) = bad["root_at_zero"]
    assert origin.forward is not None
    assert (origin.forward.type, origin.expression) == ("Sqrt", "tf.sqrt(w * x)")
    assert origin.turned is not None and origin.turned.type == "Mul"
    assert origin.turned in origin.steps


def test_the_trend_of_the_input_over_the_batches_before(bad: dict[str, list[Origin]]) -> None:
    (origin,) = bad["log_of_zero"]
    assert origin.trend is not None and origin.trend.type == "Relu"
    steps, norms = zip(*origin.trend.points, strict=True)
    assert steps == (origin.step - 2, origin.step - 1, origin.step)
    assert norms == pytest.approx((5**0.5, 5**0.5, 1.0))


def test_what_the_op_was_given(bad: dict[str, list[Origin]]) -> None:
    (origin,) = bad["division"]
    assert origin.note is not None
    assert [(given.min, given.zeros) for given in origin.note.inputs] == [(1.0, 0.0), (0.0, 1.0)]
    assert [(e.index, e.inputs, e.output) for e in origin.note.elements] == [
        ((0,), (1.0, 0.0), float("inf")),
        ((1,), (2.0, 0.0), float("inf")),
    ]


def test_findings_of_nan(runner: Runner) -> None:
    run = runner.get(NAN)
    found = [item for item in causes.find(run.trace) if item.rule == "nan-origin"]
    lines = marked(run)
    assert sorted(item.line or 0 for item in found) == sorted(lines[case] for case in ORIGINS)
    assert {item.severity for item in found} == {"error"}
