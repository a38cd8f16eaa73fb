"""What is written on stdout and stderr, by Python and by TensorFlow's C++, caught instead of shown."""

from __future__ import annotations

import io
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, TextIO


class CapturedOutput:
    """Catches output, and has the text that was caught so far."""

    def __init__(self) -> None:
        self._files: dict[str, Any] = {}
        self._own: dict[str, io.StringIO] = {}

    def text(self, name: str) -> str:
        """All that was written on `stdout` or `stderr`."""
        _flush()
        file, own = self._files.get(name), self._own.get(name)
        found = own.getvalue() if own is not None else ""
        if file is not None:
            end = os.lseek(file.fileno(), 0, os.SEEK_CUR)
            found = os.pread(file.fileno(), end, 0).decode("utf-8", "replace") + found
        return found

    @contextmanager
    def caught(self) -> Iterator[None]:
        """Catch what this process writes on its standard streams inside."""
        _flush()
        undo = [_redirect(self, name, number) for name, number in (("stdout", 1), ("stderr", 2))]
        try:
            yield
        finally:
            _flush()
            for back in reversed(undo):
                back()


def _redirect(captured: CapturedOutput, name: str, number: int) -> Any:
    before: TextIO | None = getattr(sys, name)
    try:
        kept = os.dup(number)
    except OSError:  # the script has closed it
        kept = -1
    if kept >= 0:
        file = tempfile.TemporaryFile()  # noqa: SIM115 (lives as long as the redirection)
        os.dup2(file.fileno(), number)
        captured._files[name] = file
    if before is not None and not _writes_to(before, number):
        captured._own[name] = stand_in = io.StringIO()  # the script has put an object of its own there
        setattr(sys, name, stand_in)

    def back() -> None:
        setattr(sys, name, before)
        if kept >= 0:
            os.dup2(kept, number)
            os.close(kept)
            captured._files.pop(name).close()

    return back


def _writes_to(stream: Any, number: int) -> bool:
    with suppress(Exception):
        return bool(stream.fileno() == number)
    return False


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__):
        with suppress(Exception):
            if stream is not None:
                stream.flush()
