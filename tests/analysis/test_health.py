"""The rules on real training: each finds what is wrong and says where, and is silent on what is right."""

from __future__ import annotations

import re

import numpy as np
import pytest

from tapeinspect.analysis.findings import find, settings
from tapeinspect.analysis.health.gradients import fades
from tapeinspect.analysis.health.rules import RULES
from tapeinspect.trace.records import Finding
from tests.analysis.training_runs import CASES, DEMOS, TrainingRuns, cases, healthy

pytestmark = [pytest.mark.tf, pytest.mark.timeout(900)]
WRONG = {name: rules for name, rules in cases().items() if rules}
RIGHT = [name for name, rules in cases().items() if not rules]

NEAREST = {
    "zero-gradient": "zero_initialized_last_layer",
    "constant-gradient": "the_whole_data_in_each_batch",
    "vanishing-gradient": "deep_relus_he",
    "exploding-gradient": "one_batch_of_outliers",
    "bias-before-normalization": "bias_before_layer_norm",
    "never-applied": "gradients_looked_at",
    "never-changes": "an_optimizer_for_each_half",
    "lost-update": "warm_up_from_zero",
    "large-update": "learning_rate_high_but_fine",
    "small-update": "learning_rate_for_fine_tuning",
    "dead-relu": "hinge_is_satisfied",
    "saturated-activation": "tanh_output_saturates",
    "loss-at-chance": "learns_slowly",
    "loss-rising": "targets_grow",
    "loss-flat": "low_rate",
    "loss-oscillating": "two_batches_in_turn",
    "probabilities-as-logits": "attention_weights_and_logits",
    "logits-as-probabilities": "sigmoid_and_probabilities",
    "softmax-of-one": "two_softmax_units",
    "labels-out-of-range": "noisy_labels",
    "unscaled-inputs": "raw_pixels_normalized_behind",
    "training-flag": "fine_tuned_batch_norm",
    "dropout-off": "dropout_off_on_purpose",
    "broadcast-labels": "pairwise_on_purpose",
    "missing-variable": "only_the_head",
    "loss-ignores-batch": "random_collocation_points",
    "tape-across-batches": "updates_while_the_tape_is_stopped",
}
"""The near miss of each rule that comes closest to it."""


def loud(findings: list[Finding]) -> list[Finding]:
    """Errors and warnings."""
    return [item for item in findings if item.severity != "info"]


@pytest.mark.parametrize("name", WRONG)
def test_a_rule_finds_what_is_wrong(runs: TrainingRuns, name: str) -> None:
    found = runs.findings(f"wrong/{name}")
    must, *may = WRONG[name]
    hits = [item for item in found if item.rule == must]
    assert hits, found
    assert {item.rule for item in loud(found)} <= {must, *may}, found
    for item in hits:
        assert item.path == str(CASES) and item.line and item.step and item.hint
        assert re.search(r"\d|depends on variables only", item.message), "no figures"


@pytest.mark.parametrize("name", RIGHT)
def test_a_near_miss_is_silent(runs: TrainingRuns, name: str) -> None:
    found = runs.findings(f"wrong/{name}")
    assert loud(found) == []
    assert {item.rule for item in found}.isdisjoint(rule for rule, near in NEAREST.items() if near == name)


@pytest.mark.parametrize("name", [*healthy(), *DEMOS])
def test_healthy_training_is_silent(runs: TrainingRuns, name: str) -> None:
    assert loud(runs.findings(f"healthy/{name}")) == []


def test_every_rule_that_is_on_is_tried() -> None:
    rules = {rule.id for rule in RULES if rule.on}
    assert {rules[0] for rules in WRONG.values()} == rules
    assert NEAREST.keys() == rules and set(NEAREST.values()) <= set(RIGHT)


def test_precision(runs: TrainingRuns, capsys: pytest.CaptureFixture[str]) -> None:
    right = all_of_them = 0
    for name, rules in WRONG.items():
        found = loud(runs.findings(f"wrong/{name}"))
        right += sum(item.rule in rules for item in found)
        all_of_them += len(found)
    silent = [f"wrong/{name}" for name in RIGHT] + [f"healthy/{name}" for name in (*healthy(), *DEMOS)]
    for name in silent:
        all_of_them += len(loud(runs.findings(name)))
    with capsys.disabled():
        print(
            f"\nprecision {right / all_of_them:.2f}: {right} of {all_of_them} errors and warnings are right, on "
            f"{len(WRONG)} wrong and {len(silent)} healthy runs"
        )
    assert right == all_of_them > 30


def line_of(text: str) -> int:
    """The line of cases.py that holds a text."""
    lines = CASES.read_text("utf-8").splitlines()
    (found,) = [number for number, line in enumerate(lines, 1) if text in line]
    return found


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("softmax_twice", "labels, tf.nn.softmax(logits))"),
        ("column_against_row", "lambda y, p: tf.reduce_mean(tf.square(y - p)), data=line)"),
        ("logits_to_default_loss", "sparse_categorical_crossentropy(labels, probabilities)"),
        ("minus_one_and_one", "tf.where(labels > 1, 1.0, -1.0)"),
        ("loop_inside_the_tape", "with tf.GradientTape(persistent=True) as tape:  # stays open"),
    ],
)
def test_the_line_is_the_culprits(runs: TrainingRuns, name: str, text: str) -> None:
    (item,) = loud(runs.findings(f"wrong/{name}"))
    assert item.line == line_of(text)


@pytest.mark.parametrize(
    ("rule", "name", "text"),
    [("learning-rate", "learning_rate_of_fifty", "is 50"), ("dropout-rate", "dropout_with_flag", "80 %")],
)
def test_rules_of_thumb_speak_when_asked(runs: TrainingRuns, rule: str, name: str, text: str) -> None:
    trace = runs.trace(f"wrong/{name}")
    (item,) = [item for item in find(trace, settings([rule])) if item.rule == rule]
    assert item.severity == "info" and text in item.message
    assert rule not in {item.rule for item in find(trace)}


def test_figures_of_the_data_are_those_of_numpy(runs: TrainingRuns) -> None:
    rng = np.random.default_rng(0)
    pixels, labels = rng.integers(0, 256, (32, 64)), rng.integers(0, 4, 32)
    samples = runs.trace("wrong/raw_pixels").samples(1)
    taken = next(sample for sample in samples if sample.spec.shape == (32, 64))
    assert (taken.min, taken.max, taken.mean) == (pixels.min(), pixels.max(), pytest.approx(pixels.mean()))
    given = next(sample for sample in samples if sample.spec.shape == (32,) and sample.place == -2)
    assert (given.min, given.max, given.zeros) == (
        labels.min(),
        labels.max(),
        pytest.approx((labels == 0).mean()),
    )


def test_units_that_were_alive_once_are_not_dead(runs: TrainingRuns) -> None:
    trace = runs.trace("wrong/sparse_relus")
    dead = [
        sample.dead for step in trace.sampled_steps() for sample in trace.samples(step) if sample.units == 256
    ]
    assert dead == sorted(dead, reverse=True, key=lambda count: count or 0) and len(dead) >= 3


@pytest.mark.parametrize(
    ("levels", "fading"),
    [
        ([1e-6, 1e-5, 1e-4, 1e-3, 1e-2], True),
        ([1e-6, 4e-6, 3e-6, 1e-4, 1e-3, 1e-2], True),
        ([1e-2, 1e-3, 1e-4, 1e-5, 1e-6], False),
        ([1.6e-6, 1.7e-6, 6e-3, 4e-3, 8e-3, 9e-3, 2e-2], False),  # an attention's queries and keys come first
    ],
)
def test_a_gradient_fades_step_by_step(levels: list[float], fading: bool) -> None:
    assert fades(levels) == fading
