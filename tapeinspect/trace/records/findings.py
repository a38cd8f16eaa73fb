"""Findings, and what they are drawn from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from tapeinspect.trace.records.ops import TensorSpec

Severity: TypeAlias = Literal["error", "warning", "info"]


@dataclass(frozen=True, slots=True)
class Finding:
    """Something a user should look at."""

    rule: str
    severity: Severity
    step: int | None
    op: int | None
    path: str | None
    line: int | None
    message: str
    hint: str


@dataclass(frozen=True, slots=True)
class Sample:
    """Figures of a tensor from the forward pass of a batch that was looked at closely."""

    step: int
    op: int
    """The op that made or took it."""
    place: int
    """0: the op's first output; -1, -2: its first, its second input."""
    tensor: int
    spec: TensorSpec
    min: float | None
    max: float | None
    mean: float | None
    zeros: float
    bad: int
    """Elements that are NaN or Inf."""
    units: int | None
    """Of a ReLU: the length of its last axis."""
    dead: int | None
    """Units that were above zero in none of the `examples` outputs looked at so far."""
    examples: int | None
    saturated: float | None
    """Share of a sigmoid's or tanh's outputs where it is flat."""


@dataclass(frozen=True, slots=True)
class IdleDropout:
    """A model that was called without `training`, so that the dropout in it does nothing."""

    step: int
    op: int
    """One that ran in the model."""
    model: str
    layers: tuple[str, ...]
    """The dropouts."""
    rate: float
    """The highest of theirs."""
    handles: tuple[int, ...]
    """Of the model's trainable variables."""


@dataclass(frozen=True, slots=True)
class Watched:
    """A variable that a tape watched, whether a gradient was asked for or not."""

    handle: int
    step: int
    name: str
    dtype: str
    shape: tuple[int, ...] | None
    trainable: bool
