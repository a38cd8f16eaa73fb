"""Ops, their tensors, and how they hang together."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tapeinspect.trace.records.recording import Stack


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """What is known of a tensor without its value."""

    dtype: str
    shape: tuple[int, ...] | None


@dataclass(frozen=True, slots=True)
class Health:
    """The cheap figures of one float tensor."""

    nan: int
    inf: int
    norm: float | None
    """L2 norm; None when the tensor holds NaN or Inf."""


@dataclass(frozen=True, slots=True)
class Output:
    """One output of an op."""

    id: int
    spec: TensorSpec
    health: Health | None
    """None when it is not a float or was not measured."""


@dataclass(frozen=True, slots=True)
class OpRow:
    """The digest of an op that a list shows."""

    id: int
    step: int | None
    type: str
    stack: int
    path: str | None
    """File of the innermost user frame."""
    line: int | None
    thread: int
    time_us: int
    took_ns: int
    tape: int | None
    """The innermost tape that recorded it."""
    output: TensorSpec | None
    """Dtype and shape of the first output."""
    norm: float | None
    bad: bool
    """An output holds NaN or Inf."""
    backward: bool
    """It ran inside a call of `tape.gradient` or the like."""


@dataclass(frozen=True, slots=True)
class Op:
    """All that is known of one op."""

    row: OpRow
    inputs: tuple[int, ...]
    outputs: tuple[Output, ...]
    attrs: dict[str, Any]
    stack: Stack
    tapes: tuple[int, ...]
    """Every tape that recorded it, innermost first."""
    thread_name: str


@dataclass(frozen=True, slots=True)
class Edge:
    """One op in the graph that tensors make: what it took and what it made."""

    op: int
    step: int | None
    type: str
    stack: int
    thread: int
    tapes: tuple[int, ...]
    """Every tape that recorded it."""
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    dtypes: tuple[str, ...]
    """Of the outputs."""


@dataclass(frozen=True, slots=True)
class Stats:
    """The full figures of one tensor; min, max, mean, std over finite values, None when there are none."""

    size: int
    nan: int
    inf: int
    zeros: int
    min: float | None
    max: float | None
    mean: float | None
    std: float | None
    norm: float | None
    edges: tuple[float, ...] = ()
    """Edges of the histogram's bins: one more than `counts`."""
    counts: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Value:
    """A tensor's value, or the part of it asked for."""

    spec: TensorSpec
    data: bytes
    """C order, little endian; for strings a JSON list in UTF-8."""


@dataclass(frozen=True, slots=True)
class OpFilter:
    """Which ops a list shows. All conditions must hold; `text` is what the user typed: see `parse_filter`."""

    step: int | None = None
    types: tuple[str, ...] = ()
    """Op types, matched without regard to case, a trailing * allowed."""
    words: tuple[str, ...] = ()
    """Each must occur in the op's type, user file name, user function or source line."""
    line: int | None = None
    path: str | None = None
    bad: bool = False
    """Only ops with NaN or Inf in an output."""
    recorded: bool | None = None
    backward: bool | None = None
    tensor: int | None = None
    """Only the ops that make or take this tensor."""
    text: str = field(default="", compare=False)
