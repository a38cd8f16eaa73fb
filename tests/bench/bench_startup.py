"""How soon there is something to see, in one run.

    python -m tests.bench.bench_startup [--rounds 5]

`--help` and the first paint are in seconds from the start of the command. The first batch is the time until
the first step of a small model stands in the trace file, beside the time the same program alone needs to have
run it. Everything takes turns.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import os
import pty
import select
import signal
import sqlite3
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parents[2]
CHILD: Final = (str(ROOT / "tests" / "bench" / "models" / "child.py"), "mnist")
PIPES: Final[dict[str, Any]] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
LIMIT: Final = 120.0
"""Seconds after which a run has failed."""


def environment() -> dict[str, str]:
    """Our own, TensorFlow quiet and on the CPU, a terminal of many colours."""
    quiet = {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1", "TERM": "xterm-256color"}
    return {**os.environ, **quiet, "COLORTERM": "truecolor"}


def time_of(args: list[str]) -> float:
    """Seconds that a command takes."""
    start = time.perf_counter()
    subprocess.run(args, check=True, stdout=subprocess.DEVNULL, env=environment())
    return time.perf_counter() - start


def first_paint(script: Path) -> float:
    """Seconds until the screen shows the script's name."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "tapeinspect", "-o", f"{folder}/run.tape", str(script)]
        start = time.perf_counter()
        pid, terminal = pty.fork()
        if pid == 0:
            os.execve(command[0], command, environment())
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
        try:
            return _until_painted(terminal, script.name.encode(), start)
        finally:
            os.kill(pid, signal.SIGTERM)
            _drain(terminal)
            os.waitpid(pid, 0)
            os.close(terminal)


def _until_painted(terminal: int, name: bytes, start: float) -> float:
    seen = b""
    while time.perf_counter() - start < LIMIT:
        if select.select([terminal], [], [], 0.05)[0]:
            seen += os.read(terminal, 65536)
        if b"\x1b[?1049h" in seen and name in seen.partition(b"\x1b[?1049h")[2]:
            return time.perf_counter() - start
    raise SystemExit(f"no paint within {LIMIT:.0f} s; the terminal holds {seen[-500:]!r}")


def _drain(terminal: int) -> None:
    with contextlib.suppress(OSError):
        while select.select([terminal], [], [], 10)[0] and os.read(terminal, 65536):
            pass


def first_batch_alone() -> float:
    """Seconds until the program alone has run its first step."""
    start = time.perf_counter()
    with subprocess.Popen([sys.executable, *CHILD], env=environment(), **PIPES) as process:
        return _first_line(process, lambda: time.perf_counter() - start)


def first_batch_recorded() -> float:
    """Seconds until the first step of the program stands in the trace file."""
    with tempfile.TemporaryDirectory() as folder:
        trace = Path(folder) / "run.tape"
        start = time.perf_counter()
        command = [sys.executable, "-m", "tapeinspect", "record", "--quiet", "-o", str(trace)]
        with subprocess.Popen([*command, *CHILD], env=environment(), **PIPES) as process:

            def until_stored() -> float:
                while not _has_a_step(trace):
                    if time.perf_counter() - start > LIMIT:
                        raise SystemExit("no step was recorded")
                    time.sleep(0.002)
                return time.perf_counter() - start

            return _first_line(process, until_stored)


def _first_line(process: subprocess.Popen[bytes], then: Callable[[], float]) -> float:
    assert process.stdin
    assert process.stdout
    process.stdin.write(b"1\n")
    process.stdin.flush()
    try:
        if not process.stdout.readline():
            raise SystemExit("the program ended before its first step")
        return then()
    finally:
        process.terminate()


def _has_a_step(trace: Path) -> bool:
    if not trace.exists():
        return False
    try:
        with contextlib.closing(sqlite3.connect(f"file:{trace}?mode=ro", uri=True)) as database:
            return bool(database.execute("SELECT 1 FROM step WHERE last_op IS NOT NULL LIMIT 1").fetchone())
    except sqlite3.Error:  # the tables are not there yet
        return False


def summary(name: str, seconds: list[float]) -> str:
    """Median, least and most, as a line."""
    return f"{name:34} {statistics.median(seconds):6.2f} s  ({min(seconds):.2f} to {max(seconds):.2f})"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    script = ROOT / "demos" / "mnist_eager.py"
    measurements: dict[str, Callable[[], float]] = {
        "python -c pass": lambda: time_of([sys.executable, "-c", "pass"]),
        "tapeinspect --help": lambda: time_of([sys.executable, "-m", "tapeinspect", "--help"]),
        "first paint": lambda: first_paint(script),
        "first batch, script alone": first_batch_alone,
        "first batch recorded": first_batch_recorded,
    }
    taken: dict[str, list[float]] = {name: [] for name in measurements}
    for _ in range(options.rounds):
        for name, measure in measurements.items():
            taken[name].append(measure())
    for name, seconds in taken.items():
        print(summary(name, seconds))
    alone, recorded = taken["first batch, script alone"], taken["first batch recorded"]
    later = [one - other for one, other in zip(recorded, alone, strict=True)]
    print(summary("first batch later than alone by", later))


if __name__ == "__main__":
    main()
