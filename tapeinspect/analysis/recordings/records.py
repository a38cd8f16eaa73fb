"""What comes of holding two recordings against each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from tapeinspect.trace.distance import Distance
from tapeinspect.trace.records import OpRow

if TYPE_CHECKING:
    from tapeinspect.analysis.recordings.code import CodeFile

Verdict = Literal["same", "rounding", "real"]
"""Of two figures: the same to the last bit, apart by no more than rounding explains, or further."""


@dataclass(frozen=True, slots=True)
class OpPair:
    """An op of the first recording beside its counterpart in the second; one of them may be missing."""

    first: OpRow | None
    second: OpRow | None
    verdict: Verdict
    """Of their first outputs; "real" for an op without counterpart."""
    relative: float | None
    """Difference of the norms over the larger one; None when they cannot be compared."""
    far: Distance | None = None
    """Of the elements, which the verdict is then of; None where a recording does not hold them: it is of the norms."""

    @property
    def any(self) -> OpRow:
        """The op of the first recording, else that of the second."""
        row = self.first or self.second
        assert row is not None
        return row


@dataclass(frozen=True, slots=True)
class GradientPair:
    """One variable's gradient in both recordings."""

    variable: str
    first: float | None
    """Norm; None when there is no gradient, or when it holds NaN or Inf."""
    second: float | None
    verdict: Verdict
    note: str
    """What is to be said beside the norms: None, NaN, only in one recording."""
    far: Distance | None = None
    """Of the elements, which the verdict is then of; None where a recording does not hold them: it is of the norms."""


@dataclass(frozen=True, slots=True)
class StepPair:
    """A batch of the first recording beside the same batch of the second."""

    step: int
    loss_first: float | None
    loss_second: float | None
    loss: Verdict
    same: int
    """Ops with a counterpart of the same figures."""
    rounding: int
    real: int
    only_first: int
    only_second: int
    first_op: OpPair | None
    """The first op that one recording has and the other has not."""
    first_value: OpPair | None
    """The first pair of ops whose figures differ by more than rounding, else by rounding."""
    gradients: tuple[GradientPair, ...]
    elements: int = 0
    """Pairs of ops that were compared element by element; the others by their norms."""

    @property
    def verdict(self) -> Verdict:
        """The worst of the batch; an op that only one recording ran is a real difference."""
        verdicts = [self.loss, *(pair.verdict for pair in self.gradients)]
        if self.real or self.only_first or self.only_second or "real" in verdicts:
            return "real"
        return "rounding" if self.rounding or "rounding" in verdicts else "same"


@dataclass(frozen=True, slots=True)
class Firsts:
    """The first batches that differ, each in one respect; None where none does."""

    ops: int | None = None
    """An op that one recording has and the other has not."""
    values: int | None = None
    """An op, or the loss, whose figures really differ."""
    gradients: int | None = None

    def along(self, step: StepPair) -> Firsts:
        """The same when one more batch has been looked at; to be called in order."""
        gradients = any(pair.verdict == "real" for pair in step.gradients)
        values = bool(step.real) or step.loss == "real"
        ops = bool(step.only_first or step.only_second)
        return Firsts(
            self.ops or (step.step if ops else None),
            self.values or (step.step if values else None),
            self.gradients or (step.step if gradients else None),
        )


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two recordings held against each other."""

    facts: tuple[tuple[str, str, str], ...]
    """(what, in the first, in the second) of what was not the same around the runs: versions, mode, arguments."""
    edited: tuple[tuple[str, int], ...]
    """(path, lines changed) of each of the user's files that differ."""
    steps: tuple[StepPair, ...]
    steps_first: int
    """Batches there are in the first recording."""
    steps_second: int
    code: tuple[CodeFile, ...] = ()
    """The lines of both sources, with what the first batch that differs, else the first, makes of them."""
    code_step: int | None = None
    """That batch."""

    @property
    def verdict(self) -> Verdict:
        """The worst of all batches; a different number of batches is a real difference."""
        verdicts = {step.verdict for step in self.steps}
        if "real" in verdicts or self.steps_first != self.steps_second:
            return "real"
        return "rounding" if "rounding" in verdicts else "same"

    def firsts(self) -> Firsts:
        """The first batches that differ in ops, in values and in gradients."""
        found = Firsts()
        for step in self.steps:
            found = found.along(step)
        return found

    def first(self, verdict: Verdict) -> StepPair | None:
        """The first batch of a verdict."""
        return next((step for step in self.steps if step.verdict == verdict), None)
