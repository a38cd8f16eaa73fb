"""Traces of tf.functions, and regions that no callback reaches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from tapeinspect.trace.records.failures import ErrorFrame


@dataclass(frozen=True, slots=True)
class FunctionTrace:
    """One trace of a `tf.function`."""

    id: int
    function: str
    path: str | None
    line: int | None
    signature: str
    nodes: int
    """Ops in its graph; 0 when tracing failed."""
    step: int | None
    op: int
    """The last op before it."""
    kind: Literal["function", "dataset", "library"] = "function"
    """'dataset': made for tf.data; 'library': not of the user's code."""
    object: int = 0
    """Tells the tf.function objects apart."""
    number: int = 1
    """Which trace of its object this is, from 1."""
    seconds: float | None = None
    """With the functions traced inside it."""
    caller_path: str | None = None
    caller_line: int | None = None
    """The user's line that called it."""
    arguments: tuple[tuple[str, str], ...] = ()
    """(name, what it was called with)."""
    cause: str = "first"
    """A code: see the table `trace`; 'first' for the first trace of a function."""
    argument: str | None = None
    """The part of an argument that the cause is about."""
    why: str = ""
    """The cause in words."""
    advice: str = ""
    """What would have prevented it, empty when there is nothing to say."""
    checked: str | None = None
    """How the advice was tried; None when it was not."""

    @property
    def retrace(self) -> bool:
        """Whether something had been traced before that this call did not fit."""
        return self.cause not in ("first", "variables")


@dataclass(frozen=True, slots=True)
class Survey:
    """One time that a step was traced to see what of it does not survive tracing."""

    id: int
    step: int | None
    function: str
    status: Literal["traced", "failed"]
    seconds: float
    type: str | None = None
    """Class of the exception that tracing failed with."""
    message: str | None = None
    path: str | None = None
    line: int | None = None
    frames: tuple[ErrorFrame, ...] = ()
    """The user's frames of the exception, outermost first."""


@dataclass(frozen=True, slots=True)
class SurveyFact:
    """One thing that happened on a line of the user's while it was traced; see `probe.survival`."""

    id: int
    fact: Literal["call", "store", "read", "iterate", "catch", "eager"]
    file: int
    path: str
    line: int
    name: str
    count: int
    detail: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Opaque:
    """Code that no callback reaches."""

    id: int
    kind: Literal["dataset", "py_function", "graph", "jacobian"]
    name: str
    op: int | None
    why: str
