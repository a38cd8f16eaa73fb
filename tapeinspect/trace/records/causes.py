"""Why a gradient is None, and where a NaN came from."""

from __future__ import annotations

from dataclasses import dataclass

from tapeinspect.trace.records.ops import TensorSpec


@dataclass(frozen=True, slots=True)
class PathStep:
    """One op on the way of a value from a source to where its gradient gets lost."""

    op: int
    type: str
    path: str | None
    line: int | None
    tensor: int | None
    """The tensor that it hands on; None for an op without outputs."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a gradient is None."""

    message: str
    """One sentence."""
    path: str | None
    line: int | None
    hint: str = ""
    """What to change; empty where nothing certain can be said."""
    steps: tuple[PathStep, ...] = ()
    """The way from the source to where it breaks, both included; empty when the source is not used at all."""


@dataclass(frozen=True, slots=True)
class NoneEvidence:
    """What was known of a source at the moment its gradient turned out to be None."""

    tensor: int | None
    """Id of the tensor given, or of the variable's handle."""
    watched: bool | None
    """The tape had seen the variable; None where that is not known."""
    local: str | None
    """What the code at the call calls it."""
    twin: int | None
    """Handle of a variable that the tape did see, alike in name, shape and dtype, and not among the sources."""
    twin_name: str


@dataclass(frozen=True, slots=True)
class OriginInput:
    """An input of the op that made the first NaN or Inf."""

    tensor: int
    spec: TensorSpec
    nan: int
    inf: int
    zeros: float | None
    """Share of exact zeros, 0 to 1; None, like the figures below, for what has no such figures."""
    min: float | None
    max: float | None
    norm: float | None


@dataclass(frozen=True, slots=True)
class OriginElement:
    """One element that came out as NaN or Inf."""

    index: tuple[int, ...]
    inputs: tuple[float, ...]
    """The values that it was made of, one for each input of the op."""
    output: float


@dataclass(frozen=True, slots=True)
class OriginNote:
    """What an op that made the first NaN or Inf was given, looked at while it ran."""

    op: int
    tensor: int
    inputs: tuple[OriginInput, ...]
    elements: tuple[OriginElement, ...]
