"""The rules about the health of training: what each looks for, from which figure on, and where that figure is from."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from tapeinspect.analysis.health import (
    activations,
    classification,
    data,
    gradients,
    losses,
    structure,
    updates,
)
from tapeinspect.analysis.health.run import Run
from tapeinspect.trace.records import Finding


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing that can be wrong with training."""

    id: str
    check: Callable[[Run, float], Iterable[Finding]]
    limit: float | None
    """The figure that can be adjusted; None when there is none."""
    meaning: str
    """What the rule says, with {limit} where its figure stands."""
    source: str
    """Where the figure comes from."""
    on: bool = True
    """Off: a rule of thumb, which must be asked for."""


_EXACT = "No threshold: it follows from the recorded ops."
_MEASURED = "Chosen so that the healthy scripts in tests/scripts/healthy are silent, with room to spare."

RULES: Final[tuple[Rule, ...]] = (
    Rule("zero-gradient", gradients.zero, 3, "a gradient is exactly zero in all batches, {limit} at least",
         "Exact zeros in float arithmetic do not come by chance."),
    Rule("constant-gradient", gradients.constant, 5, "a gradient is the same in {limit} batches or more",
         "Equal to the last bit in all figures."),
    Rule("vanishing-gradient", gradients.vanishing, 1e-4,
         "elements of the first layer's gradient are below {limit} of the last layer's, five layers or more apart",
         "A sigmoid's slope is at most 1/4 (Glorot and Bengio, 2010): 1/4 for each of seven layers is 6e-5."),
    Rule("exploding-gradient", gradients.exploding, 1000,
         "the norm of the gradient grows by {limit} times, and the loss tenfold",
         "Pascanu, Mikolov and Bengio (2013) clip at a few times the usual norm; this is far beyond."),
    Rule("bias-before-normalization", gradients.bias_before_normalization, 1e-5,
         "the gradient of a bias in front of a batch normalization is below {limit} of the whole gradient's",
         "Float32 has 6e-8 of relative rounding; sums over a batch raise it by ten to a hundred times."),
    Rule("never-applied", updates.never_applied, 5, "no variable changes in {limit} batches or more", _EXACT),
    Rule("never-changes", updates.never_changes, 3,
         "a variable with a gradient is not assigned to in {limit} batches, others are", _EXACT),
    Rule("lost-update", updates.lost, 5, "assigning changes nothing in {limit} batches", _EXACT),
    Rule("large-update", updates.too_large, 0.5, "a batch changes weights by more than {limit} of their size",
         "Usual is about 0.001 (Karpathy, CS231n); at 0.5, two batches replace what was learnt."),
    Rule("small-update", updates.too_small, 1e-7, "no batch changes weights by more than {limit} of their size",
         "The relative rounding of float32 is 6e-8."),
    Rule("dead-relu", activations.dead_relus, 0.7,
         "a share of {limit} of a ReLU's units was zero in all batches looked at, 100 outputs at least, "
         "or all of them from some batch on",
         "AutoTrainer (Zhang et al., ICSE 2021) calls ReLUs dying at 70 % zero gradients; here the units must be zero "
         "for all examples."),
    Rule("saturated-activation", activations.saturated, 0.9,
         "a share of {limit} of a hidden sigmoid's or tanh's outputs is flat, from the first batch on", _MEASURED),
    Rule("loss-at-chance", losses.at_chance, 0.98,
         "a classifier's loss is above {limit} of ln(classes) after 50 batches", _MEASURED),
    Rule("loss-rising", losses.rising, 10,
         "a loss ends above {limit} times its beginning (1.5 times for a softmax cross-entropy) after 30 batches",
         _MEASURED),
    Rule("loss-flat", losses.flat, 0.01, "a loss is within {limit} of its beginning after 100 batches", _MEASURED),
    Rule("loss-oscillating", losses.oscillating, 0.85,
         "a loss changes direction in a share of {limit} of the batches, by 30 % of itself, with updates above 0.05",
         "Noise changes direction in 2/3 of the batches."),
    Rule("probabilities-as-logits", classification.probabilities_as_logits, None,
         "a softmax or sigmoid is applied twice", _EXACT),
    Rule("logits-as-probabilities", classification.logits_as_probabilities, 0.01,
         "a loss that expects probabilities gets values more than {limit} outside of 0 to 1", "Room for rounding."),
    Rule("softmax-of-one", classification.softmax_of_one, None, "a softmax is over one class", _EXACT),
    Rule("labels-out-of-range", classification.labels_out_of_range, 0.25,
         "a label is no class of the model, or more than {limit} outside of 0 to 1",
         "GANs are trained with noisy labels, such as 1.05 or 0.7 to 1.2."),
    Rule("unscaled-inputs", data.unscaled_inputs, 1000,
         "inputs of trained weights are raw pixels (0 to 255), or above {limit}", _MEASURED),
    Rule("training-flag", data.batch_norm_not_training, 2,
         "a batch normalization is trained with the moving figures that it was made with, for {limit} batches",
         _EXACT),
    Rule("dropout-off", data.dropout_off, None,
         "a model that is being trained is called without training=True, and there is dropout in it", _EXACT),
    Rule("broadcast-labels", structure.broadcast, None,
         "predictions (n, 1) and labels (n,) broadcast to (n, n) on the way to the loss", _EXACT),
    Rule("missing-variable", structure.missing_variables, 0.5,
         "half of a layer is missing from the list given to tape.gradient; at most {limit} of what is in it", _EXACT),
    Rule("loss-ignores-batch", structure.ignores_batch, None, "the loss depends on nothing of the batch", _EXACT),
    Rule("tape-across-batches", structure.tape_across_batches, 3,
         "{limit} gradients or more are taken from one open tape, with updates in between", _EXACT),
    Rule("dropout-rate", data.dropout_rate, 0.7, "dropout takes away a share of more than {limit}",
         "A rule of thumb: Srivastava et al. (2014) use 0.5 for hidden units and 0.2 for inputs.", on=False),
    Rule("learning-rate", updates.learning_rate, 0.1, "Keras' optimizer uses a learning rate above {limit}",
         "A rule of thumb: Keras' optimizers start at 0.001 or 0.01.", on=False),
    Rule("update-ratio", updates.outside_of_band, 30,
         "a batch changes weights by {limit} times more or less than 0.001 of their size",
         "A rule of thumb: Karpathy, CS231n.", on=False),
)  # fmt: skip
"""Every rule."""

BY_ID: Final = {rule.id: rule for rule in RULES}
