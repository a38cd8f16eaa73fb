"""Recording a script that prints what it knows of itself, and reading both sides."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from tapeinspect.trace.reader import TraceReader, open_trace
from tapeinspect.trace.records import Op, Step
from tests.forks import Forks

HERE: Final = Path(__file__).parent / "scripts"
SHARED: Final = Path(__file__).parents[1] / "scripts"
ROOT: Final = Path(__file__).parents[2]
TIMEOUT: Final = 280
"""Seconds that one run may take."""


@dataclass(frozen=True, slots=True)
class Recording:
    """A script to be recorded, and how."""

    script: Path
    options: tuple[str, ...] = ()
    """For `tapeinspect record`."""
    args: tuple[str, ...] = ()
    recorded: bool = True
    """False: the script records itself, into the path it gets as its first argument."""
    forked: bool = True
    """False: its process imports TensorFlow itself, so that its traceback is all its own."""


def own(
    name: str, *options: str, args: tuple[str, ...] = (), recorded: bool = True, forked: bool = True
) -> Recording:
    """A script of this folder."""
    return Recording(HERE / f"{name}.py", options, args, recorded, forked)


@dataclass
class Run:
    """What came of a recording."""

    recording: Recording
    status: int
    stdout: str
    stderr: str
    path: Path
    """The trace file."""
    _reader: list[TraceReader] = field(default_factory=list)

    @cached_property
    def truth(self) -> Any:
        """What the script printed about itself."""
        lines = [line for line in self.stdout.splitlines() if line.startswith("TRUTH ")]
        assert lines, f"the script said nothing: {self.stdout}\n{self.stderr}"
        return json.loads(lines[-1][6:])

    @cached_property
    def trace(self) -> TraceReader:
        """The recording."""
        assert self.path.exists(), f"nothing was recorded: {self.stdout}\n{self.stderr}"
        reader = open_trace(self.path)
        self._reader.append(reader)
        assert [error.detail for error in reader.probe_errors()] == []
        return reader

    @cached_property
    def ops(self) -> list[Op]:
        """Every op, in order."""
        return [self.trace.op(op) for op in range(1, self.trace.counts.ops + 1)]

    @cached_property
    def source(self) -> list[str]:
        """The lines of the script; line 1 first."""
        return self.recording.script.read_text("utf-8").splitlines()

    def of_step(self, step: int) -> list[Op]:
        """The ops of one step."""
        return [op for op in self.ops if op.row.step == step]

    def steps(self) -> list[Step]:
        """The steps."""
        return list(self.trace.steps())

    def close(self) -> None:
        """Close the trace."""
        for reader in self._reader:
            reader.close()


class Runner:
    """Records scripts, two at a time, each once."""

    def __init__(self, folder: Path, forks: Forks) -> None:
        self._folder = folder
        self._forks = forks
        self._pool = ThreadPoolExecutor(2)
        self._runs: dict[Recording, Future[Run]] = {}

    def start(self, recordings: Iterable[Recording]) -> None:
        """Begin to record, unless that was done already."""
        for recording in recordings:
            if recording not in self._runs:
                path = self._folder / f"{len(self._runs)}-{recording.script.stem}.tape"
                self._runs[recording] = self._pool.submit(self._record, recording, path)

    def get(self, recording: Recording) -> Run:
        """What came of a recording."""
        self.start([recording])
        return self._runs[recording].result(timeout=4 * TIMEOUT)

    def close(self) -> None:
        """Wait for what runs, start no more."""
        self._pool.shutdown(cancel_futures=True)
        for future in self._runs.values():
            if future.done() and not future.cancelled() and future.exception() is None:
                future.result().close()

    def _record(self, recording: Recording, path: Path) -> Run:
        script, args, cwd = recording.script, recording.args, recording.script.parent
        record = ["record", "--quiet", "-o", str(path), *recording.options, str(script), *args]
        if not recording.recorded:
            done = self._forks.run(script, [str(path), *args], cwd, TIMEOUT, [ROOT])
        elif recording.forked:
            done = self._forks.tapeinspect(record, cwd, TIMEOUT, [ROOT])
        else:
            path_too = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
            done = subprocess.run(
                [sys.executable, "-m", "tapeinspect", *record],
                capture_output=True,
                timeout=TIMEOUT,
                cwd=cwd,
                env={**os.environ, "PYTHONPATH": path_too},
            )
        return Run(recording, done.returncode, done.stdout.decode(), done.stderr.decode(), path)


def close(mine: float | None, truth: float | None, relative: float = 1e-6, absolute: float = 1e-30) -> bool:
    """Whether a recorded figure is the true one."""
    if mine is None or truth is None:
        return mine is truth
    return mine == truth or abs(mine - truth) <= relative * abs(truth) + absolute
