"""Running the program in tests, with and without a terminal."""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Mapping
from pathlib import Path

SECONDS = 150.0
"""What nothing takes that ends at all, however busy the machine is."""
COMMAND = [sys.executable, "-m", "tapeinspect"]
QUIET = {"TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONFAULTHANDLER": ""}


def run(
    *args: str,
    cwd: Path,
    env: Mapping[str, str] | None = None,
    input: bytes | None = None,
    timeout: float = SECONDS,
    command: list[str] | None = None,
) -> subprocess.CompletedProcess[bytes]:
    """Run `tapeinspect ARGS` with no terminal."""
    return subprocess.run(
        [*(command or COMMAND), *args],
        cwd=cwd,
        env={**os.environ, **QUIET, **(env or {})},
        input=b"" if input is None else input,
        capture_output=True,
        timeout=timeout,
        check=False,
    )


class OnTerminal:
    """A program with a terminal of its own, as in a shell: it leads the session and its foreground."""

    def __init__(self, command: list[str], cwd: Path, env: Mapping[str, str] | None = None) -> None:
        self._master, slave = os.openpty()
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        path = os.ttyname(slave)
        os.set_blocking(self._master, False)
        self.pid = os.fork()
        if self.pid == 0:
            # until the program is there, Ctrl+C would be taken by the handler that the tests have of Python's
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            os.setsid()
            for number in (0, 1, 2):
                os.dup2(os.open(path, os.O_RDWR), number)
            os.closerange(3, 100)
            os.chdir(cwd)
            os.execvpe(command[0], command, {**os.environ, **QUIET, "TERM": "xterm-256color", **(env or {})})
        end = time.monotonic() + SECONDS
        while os.tcgetpgrp(self._master) != self.pid:  # until then Ctrl+C would go to nobody
            assert time.monotonic() < end
            time.sleep(0.001)
        os.close(slave)
        self.written = b""
        self.status: int | None = None

    def __enter__(self) -> OnTerminal:
        return self

    def __exit__(self, *_: object) -> None:
        self.hang_up()
        if self.status is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)

    def type(self, data: bytes) -> None:
        """Type into the terminal."""
        os.write(self._master, data)

    def hang_up(self) -> None:
        """Close the terminal."""
        if self._master >= 0:
            os.close(self._master)
            self._master = -1

    def read_until(self, text: bytes, seconds: float = SECONDS) -> None:
        """Read until this has been written."""
        end = time.monotonic() + seconds
        while text not in self.written:
            assert time.monotonic() < end, self.written[-2000:]
            self._read(0.2)

    def wait(self, seconds: float = SECONDS) -> int:
        """Read until the program has ended; its exit status."""
        end = time.monotonic() + seconds
        while self.status is None:
            assert time.monotonic() < end, self.written[-2000:]
            self._read(0.05)
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                code = os.waitstatus_to_exitcode(status)
                self.status = code if code >= 0 else 128 - code
        self._read(0.0)
        return self.status

    def _read(self, seconds: float) -> None:
        if self._master < 0:
            time.sleep(seconds)
            return
        select.select([self._master], [], [], seconds)
        with contextlib.suppress(OSError):
            while data := os.read(self._master, 65536):
                self.written += data
