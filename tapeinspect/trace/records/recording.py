"""The recording itself, and its source files, frames and stacks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Meta:
    """The facts of the whole run."""

    format: int
    script: str
    argv: tuple[str, ...]
    tensorflow: str | None
    """Version of TensorFlow, None when the script never imported it."""
    keras: str | None
    python: str
    tapeinspect: str
    mode: Literal["eager", "graph"]
    values: Literal["off", "health", "full"]
    started: float
    """Unix time."""
    exit_status: int | None
    """The script's, 128 + signal when it was killed; None while it runs, or when nobody learned it."""
    complete: bool
    """The recording was closed in order; False for a running target and for one cut off."""
    raw: dict[str, Any]
    """Everything in the table `meta`."""


@dataclass(frozen=True, slots=True)
class Counts:
    """How far a recording has come; a new one after each `refresh()` that found something."""

    ops: int = 0
    steps: int = 0
    """Steps begun; the last one may still run."""
    gradients: int = 0
    errors: int = 0
    complete: bool = False


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file that frames point into."""

    id: int
    path: str
    role: Literal["user", "library", "generated"]
    source: str | None
    """None when it was not kept (`--no-source`, or a library's)."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One place in the code: the expression that was being evaluated."""

    id: int
    file: int
    path: str
    role: Literal["user", "library", "generated"]
    function: str
    line: int | None
    end_line: int | None = None
    col: int | None = None
    """Columns count characters from 0, end exclusive; None where only the line is known."""
    end_col: int | None = None


@dataclass(frozen=True, slots=True)
class Stack:
    """An interned Python stack, innermost frame first."""

    id: int
    frames: tuple[Frame, ...]
    user: Frame | None
    """The innermost frame of the user's own code."""
