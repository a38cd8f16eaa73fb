"""Gradients, losses, variables and updates of each step, against the script's own."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from tapeinspect.analysis.flow import gradient_passes
from tapeinspect.trace.records import Gradient, Step
from tapeinspect.trace.series import FIGURES
from tests.probe.recorded import Run, Runner, close, own

pytestmark = pytest.mark.tf
TRAINING = own("training")
RECORDINGS = (TRAINING,)
SMALL = ("float16", "bfloat16")
EPSILON = {"float16": 2**-10, "bfloat16": 2**-7, "float32": 2**-23, "float64": 2**-52, "complex64": 2**-23}


@pytest.fixture(scope="module")
def run(runner: Runner) -> Run:
    run = runner.get(TRAINING)
    assert run.status == 0, run.stderr
    return run


def steps(run: Run) -> list[tuple[Step, dict[str, Any]]]:
    """Each step that the script told of, with the recorded one."""
    told = run.truth["steps"]
    return list(zip(run.steps()[: len(told)], told, strict=True))


def differences(mine: Any, truth: dict[str, Any] | None, relative: float = 1e-6) -> list[str]:
    """The names of figures that are not the true ones."""
    if truth is None:
        return []
    scale = max((abs(v) for v in (truth["min"], truth["max"]) if v is not None), default=0.0)
    slack = {"mean": relative * scale, "norm": 1e-30, "min": 0.0, "max": 0.0, "zeros": 1e-12}
    wrong = [n for n in slack if not close(getattr(mine, n), truth[n], relative, slack[n])]
    return wrong + [name for name in ("nan", "inf") if getattr(mine, name) != truth[name]]


def test_steps_are_the_calls_in_their_order(run: Run) -> None:
    pairs = steps(run)
    assert len(pairs) > 70
    assert [step.function for step, _ in pairs] == [true["step"] for _, true in pairs]


def test_losses(run: Run) -> None:
    wrong = [
        (step.id, true["function"], step.loss, true["loss"])
        for step, true in steps(run)
        if not close(step.loss, true["loss"])
    ]
    assert not wrong, wrong[:5]


def test_gradients(run: Run) -> None:
    wrong = []
    for step, true in steps(run):
        found = run.trace.gradients(step.id)
        assert [g.variable.name for g in found] == [g["variable"] for g in true["gradients"]]
        for mine, truth in zip(found, true["gradients"], strict=True):
            if (mine.form, mine.rows) != (truth["form"], truth["rows"]):
                wrong.append((step.id, true["function"], mine, truth))
            if differences(mine, truth["figures"]):
                wrong.append((true["function"], differences(mine, truth["figures"]), mine, truth["figures"]))
            if mine.form == "none":
                assert (mine.norm, mine.min, mine.max, mine.mean, mine.tensor) == (None,) * 5
    assert not wrong, f"{len(wrong)}: {wrong[:4]}"


def test_values_of_variables_as_each_step_found_them(run: Run) -> None:
    wrong, count = [], 0
    for step, true in steps(run):
        names = {g.variable.id: g.variable for g in run.trace.gradients(step.id)}
        found = run.trace.variable_steps(step.id)
        assert set(found) == set(names)
        for variable, mine in found.items():
            count += 1
            truth = true["variables"][names[variable].name]["figures"]
            if differences(mine, truth):
                wrong.append((step.id, true["function"], differences(mine, truth), mine, truth))
    assert count > 150
    assert not wrong, f"{len(wrong)}: {wrong[:4]}"


def test_updates_are_what_changed(run: Run) -> None:
    wrong, before, by_delta = [], {}, ("subtracts", "numbers")
    for step, true in steps(run):
        names = {g.variable.id: g.variable.name for g in run.trace.gradients(step.id)}
        for variable, mine in run.trace.variable_steps(step.id).items():
            truth = true["variables"][names[variable]]
            update, norm = truth["update"], truth["figures"]["norm"] or 0.0
            if not mine.assigns:
                good = update == 0 and mine.update_norm is None
            else:
                rounding = EPSILON[truth["dtype"]] * norm
                good = close(mine.update_norm, update, 1e-5, 0.0 if truth["dtype"] in SMALL else rounding)
                # what came before one assign_sub is not kept where the step before was one assign_sub, too
                lost = before.get(variable) in by_delta and true["function"] not in by_delta
                good = good or (lost and mine.update_norm is None)
            before[variable] = true["function"]
            if not good:
                wrong.append(
                    (step.id, true["function"], names[variable], mine.update_norm, mine.assigns, update)
                )
    assert not wrong, f"{len(wrong)}:\n" + "\n".join(map(str, wrong[:30]))


def test_assigns_are_counted(run: Run) -> None:
    expected = {
        "subtracts": 1,
        "assigns": 1,
        "assigns_thrice": 3,
        "assigns_a_part": 1,
        "scatters": 1,
        "fused": 1,
    }
    for step, true in steps(run):
        if true["function"] in expected:
            found = run.trace.variable_steps(step.id)
            w = next(g.variable.id for g in run.trace.gradients(step.id) if g.variable.name == "w")
            assert found[w].assigns == expected[true["function"]], true["function"]


def gradients_of(run: Run, function: str) -> list[list[Gradient]]:
    """The gradients of each call of the last step of a function, call by call."""
    step = [step for step in run.steps() if step.function == function][-1]
    found: dict[int, list[Gradient]] = {}
    for gradient in run.trace.gradients(step.id):
        found.setdefault(gradient.call, []).append(gradient)
    return list(found.values())


def test_names_are_those_the_user_knows(run: Run) -> None:
    (found,) = gradients_of(run, "naming")
    assert [g.variable.name for g in found] == run.truth["names"]


def test_keras_paths(run: Run) -> None:
    names = {variable.name for variable in run.trace.variables()}
    for name in ("conv_adam/kernel", "conv_adam/bias", "dense_decay/kernel", "words/embeddings"):
        assert any(name in (found, found.partition("/")[2]) for found in names), (name, names)


def test_jacobians_and_other_calls(run: Run) -> None:
    found = gradients_of(run, "jacobian")
    step = next(step for step in run.steps() if step.function == "jacobian")
    calls = {call.id: call for call in run.trace.gradient_calls(step.id)}
    assert [calls[gradients[0].call].method for gradients in found] == [
        name for name, _ in run.truth["calls"]
    ]
    for gradients, (_, figures) in zip(found, run.truth["calls"], strict=True):
        assert len(gradients) == len(figures)
        for mine, truth in zip(gradients, figures, strict=True):
            assert not differences(mine, truth)
    names = [[g.variable.name for g in gradients] for gradients in found]
    assert names == [["v"], ["x"], ["v", "x"], ["x"], ["v", "x"]]
    assert [g.variable.kind for g in found[2]] == ["variable", "tensor"]


def test_a_jacobian_ran_as_one_graph(run: Run) -> None:
    step = next(step for step in run.steps() if step.function == "jacobian")
    passes = gradient_passes(run.trace, step.id)
    assert [(one.call.method, one.graph is not None, bool(one.calls)) for one in passes[:3]] == [
        ("jacobian", True, False), ("batch_jacobian", True, False), ("gradient", False, True),
    ]  # fmt: skip
    graphs = [trace.nodes for trace in run.trace.traces() if trace.step == step.id]
    assert [one.graph for one in passes[:2]] == graphs[:2]
    told = {opaque.name for opaque in run.trace.opaques() if opaque.kind == "jacobian"}
    assert told == {"jacobian", "batch_jacobian"}


def test_gradient_calls_hold_their_ops_and_targets(run: Run) -> None:
    for step, true in steps(run):
        (call,) = run.trace.gradient_calls(step.id)
        assert call.method == "gradient" and call.error is None
        assert "tape.gradient(" in run.source[call.line - 1]
        ops = run.ops[call.first_op - 1 : call.last_op]
        assert all(op.row.step == step.id and op.row.backward for op in ops)
        assert not any(op.row.backward for op in run.of_step(step.id) if op not in ops), true["function"]
        (target,) = call.targets
        assert run.trace.producer(target) < call.first_op


def test_a_refused_call_leaves_the_first_as_it_was(run: Run) -> None:
    """TensorFlow refuses it before it asks the tape, and its error must not pass through a function of ours."""
    step = next(step for step in run.steps() if step.function == "refused")
    (call,) = run.trace.gradient_calls(step.id)
    assert call.error is None


def test_export_has_the_gradients_of_every_step(run: Run) -> None:
    command = [sys.executable, "-m", "tapeinspect", "export", str(run.path), "--format", "jsonl"]
    done = subprocess.run(command, capture_output=True, timeout=60, check=True)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    gradients = [line for line in lines if line["kind"] == "gradient"]
    told = [(n, g) for n, step in enumerate(run.truth["steps"], 1) for g in step["gradients"]]
    for line, (step, true) in zip(gradients, told, strict=False):
        assert (line["step"], line["variable"]) == (step, true["variable"])
        assert (line["none_reason"] is not None) == (true["form"] == "none")
        if true["figures"] and true["figures"]["norm"] is not None:
            assert close(line["norm"], true["figures"]["norm"])
    assert len(gradients) >= len(told)
    assert sum(line["kind"] == "op" for line in lines) == run.trace.counts.ops
    assert [line["step"] for line in lines if line["kind"] == "step"] == [s.id for s in run.steps()]


def test_magnitudes_agree_with_the_figures(run: Run) -> None:
    series = run.trace.series
    names = {variable.name: variable for variable in run.trace.variables()}
    checked = 0
    for subject in ("gradient", "weight", "update"):
        for variable in names.values():
            for found in series.magnitudes(variable.id, subject):
                assert found.step <= 8 or found.step % 8 == 0
                assert sum(found.counts.values()) + found.zeros + found.bad == found.seen
                gradients = [g for g in run.trace.gradients(found.step) if g.variable.id == variable.id]
                last = gradients[-1]
                if subject == "gradient" and last.form == "dense" and last.min is not None and found.counts:
                    largest = max(-last.min, last.max or 0.0)
                    assert 2.0 ** max(found.counts) <= largest < 2.0 ** (max(found.counts) + 1)
                    checked += 1
    assert checked > 10


def test_the_largest_change_of_a_variable(run: Run) -> None:
    figure = next(figure for figure in FIGURES if figure.key == "update-max")
    largest = run.trace.series.points(figure)
    checked = 0
    for variable, points in largest.items():
        for point in points:
            weight = run.trace.variable_steps(point.step)[variable]
            if point.value is not None and weight.update_norm is not None:
                assert point.value <= weight.update_norm * (1 + 1e-3)
                checked += 1
    assert checked > 10
