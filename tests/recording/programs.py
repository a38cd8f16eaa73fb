"""Running a program alone and under `tapeinspect record`, two at a time."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from tests.forks import Forks
from tests.scripts import SCRIPTS

ROOT: Final = Path(__file__).parents[2]
TIMEOUT: Final = 150
"""Seconds that one run may take."""

PROCESS: Final = frozenset(
    {
        "forks",
        "prints_traceback",
        "reads_input",
        "signals",
        "spawns",
        "stack_depth",
        "uses_pdb",
    }
)
"""Scripts that look at their process, stack or input: they, and all that raise, run in processes of their own."""
QUIET_ENDS: Final = frozenset({"aborts", "os_exit", "sys_exit"})
"""Scripts that end with a status of their own, and no traceback to tell a fork by."""
BOTH: Final = frozenset(
    {"plain_function", "keras_fit", "mirrored", "demo-mnist_eager", "demo-mnist_function"}
)
"""Scripts that run alone in a fork, and are recorded in a process of their own."""

NOISE: Final = re.compile(
    rb"tapeinspect: .*\n"
    rb"|[IWEF]\d{4} .*\n"  # what TensorFlow's C++ code logs, with the time and the process in it
    rb"|\d{4}-\d\d-\d\d \d\d:\d\d:\d\d[.,]\d+: [IWEF] .*\n"
    rb"|WARNING: All log messages before absl::InitializeLog\(\) is called are written to STDERR\n"
    rb"|To enable the following instructions: .*\n"
    rb"|.*DeprecationWarning: This process \(pid=\d+\) is multi-threaded, use of fork.*\n"  # from Python 3.12 on
)
"""Lines of stderr that differ from run to run, or are ours."""


@dataclass(frozen=True, slots=True)
class Program:
    """A script or a demo, and what to expect of it."""

    name: str
    path: Path
    args: tuple[str, ...] = ()
    stdin: bytes = b""
    exit_status: int = 0
    graph: bool = False
    """It runs a `tf.function`."""
    steps: int = 0
    function: str | None = "train_step"
    tensorflow: bool = True
    """It imports TensorFlow."""

    @property
    def forked(self) -> bool:
        """Whether it runs in a fork of a process that has imported TensorFlow, not in a process of its own."""
        ends_well = not self.exit_status or self.name in QUIET_ENDS
        return self.tensorflow and ends_well and not self.stdin and self.name not in PROCESS


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a program."""

    status: int
    """128 + signal when it was killed."""
    stdout: bytes
    stderr: bytes
    """Without the noise."""
    trace: Path | None
    """The recording; None for a run without us."""


Way = Literal["alone", "eager", "graph"]


class Runner:
    """Runs programs on two threads, in the order they were asked for; each run once."""

    def __init__(self, folder: Path, forks: Forks) -> None:
        self._folder = folder
        self._pool = ThreadPoolExecutor(2)
        self._runs: dict[tuple[str, Way], Future[Run]] = {}
        self._forks = forks

    def start(self, program: Program, ways: Iterable[Way]) -> None:
        """Ask for runs of a program, unless they were asked for."""
        for way in ways:
            if (program.name, way) not in self._runs:
                self._runs[program.name, way] = self._pool.submit(self._run, program, way)

    def run(self, program: Program, way: Way) -> Run:
        """A run of a program; waits for it."""
        self.start(program, [way])
        return self._runs[program.name, way].result()

    def close(self) -> None:
        """Drop what has not begun, wait for the rest."""
        self._pool.shutdown(cancel_futures=True)

    def _run(self, program: Program, way: Way) -> Run:
        if way == "alone" and program.forked:
            with tempfile.TemporaryDirectory(dir=self._folder) as cwd:
                return _run(self._forks.run(program.path, program.args, cwd, TIMEOUT), None)
        trace = self._folder / f"{program.name}-{way}.tape"
        record = ["record", "--mode", way, "-o", str(trace)]
        command = [str(program.path), *program.args]
        with tempfile.TemporaryDirectory(dir=self._folder) as cwd:
            if way != "alone" and program.forked and program.name not in BOTH:
                return _run(self._forks.tapeinspect([*record, *command], cwd, TIMEOUT), trace)
            done = subprocess.run(
                [sys.executable, *(["-m", "tapeinspect", *record] if way != "alone" else []), *command],
                input=program.stdin,
                capture_output=True,
                cwd=cwd,
                timeout=TIMEOUT,
            )
        return _run(done, None if way == "alone" else trace)


def _run(done: subprocess.CompletedProcess[bytes], trace: Path | None) -> Run:
    status = done.returncode if done.returncode >= 0 else 128 - done.returncode
    return Run(status, done.stdout, NOISE.sub(b"", done.stderr), trace)


def scripts() -> list[Program]:
    """Every script of `tests/scripts`."""
    return [
        Program(s.name, s.path, s.args, s.stdin, s.exit_status, s.graph, s.steps, s.function, s.tensorflow)
        for s in SCRIPTS.values()
    ]


def demos() -> list[Program]:
    """Every demo, cut short."""

    def demo(name: str, batches: int, graph: bool = False) -> Program:
        args = ("--epochs", "1", "--batches", str(batches))
        return Program(f"demo-{name}", ROOT / "demos" / f"{name}.py", args, graph=graph, steps=batches)

    return [
        demo("mnist_eager", 4),
        demo("mnist_function", 4, graph=True),
        demo("control_flow", 4, graph=True),
        demo("keras_fit", 4, graph=True),
        demo("gan", 3),
        demo("nan", 25),
        demo("none_gradient", 4),
    ]
