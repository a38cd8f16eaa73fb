"""What is told of the origin of a NaN or Inf."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tapeinspect.trace.records import Edge, OriginNote, PathStep


@dataclass(frozen=True, slots=True)
class Trend:
    """A tensor over the batches before."""

    type: str
    """Type of the op that makes it."""
    points: tuple[tuple[int, float | None], ...]
    """(batch, L2 norm), oldest first; the norm is None where it was not measured or not finite."""


@dataclass(frozen=True, slots=True)
class Origin:
    """The first op, or the data, that a NaN or Inf which reached something that matters came from."""

    kind: Literal["op", "data", "variable"]
    """An op made it of finite inputs, it was in the data, or a variable had it before it was recorded."""
    stage: Literal["forward", "backward", "update"]
    """Before or inside the call of `tape.gradient`, or in what changes the variables."""
    step: int
    op: int
    type: str
    path: str | None
    line: int | None
    expression: str
    """Source of the expression that ran the op, or the forward op of a backward one; empty when it is not known."""
    nan: int
    inf: int
    """In the op's outputs."""
    reaches: str
    """What it reached first: "the loss", "the gradient of w", "w"."""
    message: str
    """One sentence."""
    hint: str
    """The usual remedy; empty where there is none."""
    forward: PathStep | None
    """The forward op whose backward it is."""
    turned: PathStep | None
    """The op that made NaN of the Inf, when that is another one."""
    note: OriginNote | None
    """What the op was given, when that was looked at while it ran."""
    steps: tuple[PathStep, ...]
    """The way from the op to what it reached, both ends included; long ones are cut in the middle."""
    trend: Trend | None
    """Its first input in the batches before."""
    others: tuple[PathStep, ...]
    """Further ops that made NaN or Inf of finite inputs and led to the same."""


@dataclass(frozen=True, slots=True)
class Backing:
    """The forward op that an op of a backward pass belongs to."""

    type: str
    edge: Edge | None
    """None when it was not recorded."""
