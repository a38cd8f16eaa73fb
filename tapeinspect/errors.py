"""The exceptions of tapeinspect and the exit statuses they lead to.

TapeinspectError          anything tapeinspect itself says; has a message, a hint and an exit status
├── UsageError            the command line cannot be carried out as given
├── ScriptError           the script cannot be started: missing, a directory, not Python, a syntax error
├── TraceError            a recording cannot be read
│   └── NewerFormatError  it was written by a newer tapeinspect
├── TraceFullError        a recording cannot be written any further (disk full, limit reached)
└── TargetError           the script's process cannot be started or spoken to
"""

from __future__ import annotations

import enum


class ExitCode(enum.IntEnum):
    """Exit statuses of tapeinspect's own; `run` and `record` return the script's."""

    OK = 0
    FINDINGS = 1
    USAGE = 2
    INTERNAL = 125
    INTERRUPTED = 130


class TapeinspectError(Exception):
    """An error in one sentence, with the next thing to try."""

    exit_code = ExitCode.INTERNAL

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(TapeinspectError):
    """The command line cannot be carried out as given."""

    exit_code = ExitCode.USAGE


class ScriptError(TapeinspectError):
    """The script cannot be started."""

    exit_code = ExitCode.USAGE


class TraceError(TapeinspectError):
    """A recording cannot be read."""

    exit_code = ExitCode.USAGE


class NewerFormatError(TraceError):
    """A recording was written by a newer tapeinspect."""


class TraceFullError(TapeinspectError):
    """A recording cannot be written any further."""


class TargetError(TapeinspectError):
    """The script's process cannot be started or spoken to."""
