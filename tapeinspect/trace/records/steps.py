"""Steps, what they were called with, and what each of their lines cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tapeinspect.trace.records.ops import TensorSpec


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument that a step was called with."""

    name: str
    kind: Literal["tensor", "array", "variable", "python", "structure"]
    text: str
    """As a person would write it, cut short."""
    spec: TensorSpec | None = None
    tensor: int | None = None
    exact: bool = True
    """False when the function may have bound the name anew before it was looked at."""


@dataclass(frozen=True, slots=True)
class Step:
    """One batch of training."""

    id: int
    kind: Literal["call", "turn"]
    """One call of `function`, or one turn of the loop at `line` inside it."""
    function: str
    file: int | None
    path: str | None
    line: int | None
    thread: int
    first_op: int
    last_op: int | None
    """None while it runs."""
    ops: int
    time_us: int
    seconds: float | None
    loss: float | None
    args: tuple[Argument, ...] = ()
    overhead: float | None = None
    """(seconds with recording) / (seconds without)."""


@dataclass(frozen=True, slots=True)
class LineCost:
    """What one line of the user's code ran."""

    ops: int = 0
    took_ns: int = 0
