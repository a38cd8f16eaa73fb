"""What the screen takes: first paint, a key or a jump in a million ops, a filter over them, memory.

    python tests/bench/bench_ui.py [--ops N] [--trace FILE]

Drives the real program in a pseudo-terminal and times from the key to the last byte of the repaint. Prints each
figure with its limit; exits with 1 when one is over it.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
QUIET = 0.03
"""Seconds without output after which a repaint counts as finished: the figures of an op that the cursor rests on
come later, on purpose."""
REST = 0.3
"""Seconds without output after which the screen is at rest."""


class Screen:
    """The program in a pseudo-terminal."""

    def __init__(self, arguments: Sequence[str], columns: int = 120, rows: int = 36) -> None:
        self.started = time.perf_counter()
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ.update(TERM="xterm-256color", COLORTERM="truecolor", PYTHONPATH=str(ROOT))
            os.execv(sys.executable, [sys.executable, "-m", "tapeinspect", *arguments])
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.seen = b""

    def read(self, seconds: float) -> bytes:
        """What comes within some seconds; b"" for nothing."""
        if not select.select([self.fd], [], [], seconds)[0]:
            return b""
        try:
            data = os.read(self.fd, 1 << 16)
        except OSError:
            return b""
        self.seen += data
        return data

    def until(self, pattern: bytes, limit: float = 60.0) -> float:
        """Seconds since the start until some text has been drawn."""
        found = re.compile(pattern)
        while time.perf_counter() - self.started < limit:
            self.read(0.05)
            if found.search(_plain(self.seen)):
                return time.perf_counter() - self.started
        raise TimeoutError(f"{pattern!r} was not drawn; the end: {_plain(self.seen)[-300:]!r}")

    def settle(self, limit: float = 5.0, quiet: float = REST) -> float:
        """Read until nothing more comes; the moment of the last byte."""
        last = time.perf_counter()
        end = last + limit
        while time.perf_counter() < end:
            if self.read(quiet):
                last = time.perf_counter()
            else:
                break
        return last

    def press(self, keys: bytes) -> float:
        """Seconds from a key to the last byte of what it changes."""
        self.settle()
        self.seen = b""
        began = time.perf_counter()
        os.write(self.fd, keys)
        while not self.read(0.01):
            if time.perf_counter() - began > 5:
                raise TimeoutError(f"nothing came of the key {keys!r}")
        return self.settle(quiet=QUIET) - began

    def worked(self) -> float:
        """Seconds that the program's main thread has had of a processor; 0 where the system does not tell."""
        try:
            return int(Path(f"/proc/{self.pid}/schedstat").read_text().split()[0]) / 1e9
        except (OSError, ValueError, IndexError):
            return 0.0

    def memory(self) -> float:
        """Megabytes of memory that the process holds at most."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+)", status)[1]) / 1024  # type: ignore[index]

    def close(self) -> None:
        """End the program."""
        with contextlib.suppress(OSError):
            os.write(self.fd, b"q")
            self.settle(1.0)
        with contextlib.suppress(OSError):
            os.kill(self.pid, signal.SIGKILL)
        os.close(self.fd)
        os.waitpid(self.pid, 0)


def _plain(data: bytes) -> bytes:
    return re.sub(rb"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07]*\x07", b"", data)


def first_paint(trace: Path, times: int = 5) -> tuple[float, float]:
    """Seconds to the first frame, and to the first that takes keys: the medians of some starts."""
    first, whole = [], []
    for _ in range(times):
        screen = Screen(["open", str(trace)])
        first.append(screen.until(rb"1 Trace"))
        whole.append(screen.until(rb"Ops  batch \d"))
        screen.close()
    return statistics.median(first), statistics.median(whole)


def main() -> int:
    """Run everything; 1 when a limit is exceeded."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ops", type=int, default=1_000_000)
    parser.add_argument("--trace", type=Path, help="a recording to use in place of a generated one")
    options = parser.parse_args()
    results: list[tuple[str, float, float, str]] = []
    with tempfile.TemporaryDirectory() as folder:
        trace, small = options.trace or Path(folder, "million.tape"), Path(folder, "small.tape")
        if options.trace is None:
            _generate(trace, options.ops)
        _generate(small, 2000)
        frame, keys = first_paint(small)
        results += [("first paint", frame, 0.4, "s"), ("first paint that takes keys", keys, 1.0, "s")]
        results += drive(trace)
    print(f"{'':34}{'measured':>10}{'limit':>10}")
    for name, value, limit, unit in results:
        print(f"{name:34}{value:>8.3g} {unit:2}{limit:>7.3g} {unit:2} {'ok' if value <= limit else 'OVER'}")
    return int(any(value > limit for _, value, limit, _ in results))


def drive(trace: Path) -> list[tuple[str, float, float, str]]:
    """Keys, jumps and filters in a large recording."""
    screen = Screen(["open", str(trace)])
    results = [("open", screen.until(rb"Ops  batch \d"), 1.0, "s")]
    screen.settle()
    results.append(("all ops of the run", screen.press(b"a") * 1000, 50, "ms"))
    for name, keys in (("end of all ops", b"G"), ("page up", b"\x1b[5~"), ("up", b"\x1b[A"), ("top", b"g"),
                       ("page down", b"\x1b[6~"), ("down", b"\x1b[B"), ("next batch", b"]")):  # fmt: skip
        taken = [screen.press(keys) for _ in range(5 if keys not in (b"G", b"g") else 1)]
        results.append((name, statistics.median(taken) * 1000, 50, "ms"))
    screen.press(b"a")
    screen.press(b"/")
    screen.press(b"typ")
    screen.settle()
    screen.started, screen.seen = time.perf_counter(), b""
    os.write(screen.fd, b"e:MatMul\r")
    results.append(("filter", screen.until(rb"[\d,]+ ops +/type:MatMul"), 0.5, "s"))
    results.append(("memory", screen.memory(), 200, "MB"))
    screen.close()
    return results


def _generate(path: Path, ops: int) -> None:
    code = f"from tests.bench.million_ops import generate; generate({str(path)!r}, {ops})"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


if __name__ == "__main__":
    sys.exit(main())
