"""What ended the script, and what the recording had trouble with."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ErrorFrame:
    """One line of a traceback."""

    file: str
    line: int | None
    function: str
    code: str
    user: bool


@dataclass(frozen=True, slots=True)
class ScriptFailure:
    """An exception that ended the script."""

    id: int
    type: str
    message: str
    file: str | None
    line: int | None
    step: int | None
    frames: tuple[ErrorFrame, ...]
    """Outermost first."""


@dataclass(frozen=True, slots=True)
class ProbeError:
    """Something in tapeinspect itself failed; that part of the recording is off from there."""

    part: str
    message: str
    detail: str
