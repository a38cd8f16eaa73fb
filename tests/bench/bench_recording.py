"""What recording costs: the time of a training step with it over that of the same step without, in one run.

    python -m tests.bench.bench_recording [--quick] [--models mnist resnet50 transformer] [--markdown]
    python -m tests.bench.bench_recording --models resnet50 --modes eager --minutes 10 --save parts.jsonl
    python -m tests.bench.bench_recording --show parts.jsonl --markdown

For each model and mode one process runs bare, one for each level of `--values`, and two under TensorFlow's
own debugger (`enable_dump_debug_info` with its defaults). All are alive together and take turns, a block of
steps each, so a slow moment of the machine meets them alike. Two processes that do the same differ by some percent
all their lives, so all are begun anew several times. A ratio is the median over the rounds of (a process's block) /
(the bare process's block of the same round).

The whole table takes about an hour on two cores. It can be made in parts: `--minutes` ends each model and mode
after the round that is under way then, `--save` adds the results to a file, `--show` prints what is in one.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Final

CHILD: Final = Path(__file__).parent / "models" / "child.py"
STEPS: Final = {"mnist": 20, "transformer": 3, "resnet50": 1}
"""Steps in a block."""
GRAPH_STEPS: Final = {"mnist": 60, "transformer": 20, "resnet50": 4}
LEVELS: Final = ("off", "health", "full")
PYTHON: Final = "off in Python"
"""`off` without the op callback's C code, as it is where there was no compiler."""
TFDBG: Final = ("NO_TENSOR", "FULL_HEALTH")
TORCHLENS: Final = "torchlens"
BARE: Final = "bare"


@dataclass
class Measured:
    """What one way of running one model took."""

    way: str
    """'bare', a level of `--values`, or 'tfdbg' and its mode."""
    blocks: list[float] = field(default_factory=list)
    """Seconds of each block, after the warm-up."""
    megabytes: float = 0.0
    """Peak memory of the process, the model included."""
    bytes_per_op: float | None = None
    ops_per_step: float | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """One way beside the bare run of the same model."""

    model: str
    mode: str
    way: str
    seconds: float
    """Of a step, median."""
    ratio: float
    low: float
    """A quarter of the rounds had a smaller ratio."""
    high: float
    """A quarter of the rounds had a larger ratio."""
    megabytes: float
    bytes_per_op: float | None
    ops_per_step: float | None
    rounds: int


def command(model: str, mode: str, way: str, trace: Path) -> list[str]:
    """The command line of one process."""
    child = [str(CHILD), model, *(["--graph"] if mode == "graph" else [])]
    if way == BARE:
        return [sys.executable, *child]
    if way.startswith("tfdbg "):
        return [sys.executable, *child, "--tfdbg", way.removeprefix("tfdbg ")]
    if way == TORCHLENS:
        return [sys.executable, *child, "--torchlens"]
    level, _, alone = way.partition(" in ")
    record = ["record", "--quiet", "--values", level, "--mode", mode, "-o", str(trace)]
    without = ["env", "TAPEINSPECT_NATIVE=0"] if alone else []
    return [*without, sys.executable, "-m", "tapeinspect", *record, *child]


@contextmanager
def started(args: Sequence[str], log: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that serves blocks; it ends with the context."""
    env = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}
    with log.open("w") as errors:
        process = subprocess.Popen(
            args, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True, env=env
        )
    try:
        yield process
        assert process.stdin
        process.stdin.close()
        process.wait(300)
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(20)


def block(process: subprocess.Popen[str], steps: int, log: Path) -> tuple[float, float]:
    """Let a process run a block of steps: (seconds, peak megabytes)."""
    assert process.stdin
    assert process.stdout
    with suppress(BrokenPipeError):  # it has ended: the log says why
        process.stdin.write(f"{steps}\n")
        process.stdin.flush()
    line = process.stdout.readline()
    if not line:
        raise SystemExit(f"a process of the benchmark ended:\n{log.read_text()[-2000:]}")
    seconds, megabytes = map(float, line.split())
    return seconds, megabytes


def measure(
    model: str, mode: str, ways: Sequence[str], rounds: int, steps: int, minutes: float, lives: int
) -> list[Measured]:
    """Run one model in one mode, all ways taking turns: so many rounds, or fewer when that takes too many minutes.

    lives: how often the processes are begun anew.
    """
    measured = [Measured(way) for way in ways]
    lives = min(lives, rounds)
    for _ in range(lives):
        _one_life(model, mode, measured, rounds // lives, steps, minutes / lives)
    return measured


def _one_life(
    model: str, mode: str, measured: Sequence[Measured], rounds: int, steps: int, minutes: float
) -> None:
    ways = [entry.way for entry in measured]
    with tempfile.TemporaryDirectory() as folder:
        traces = [Path(folder) / f"{way}.tape" for way in ways]
        logs = [Path(folder) / f"{way}.log" for way in ways]
        with ExitStack() as stack:
            processes = []
            for way, trace, log in zip(
                ways, traces, logs, strict=True
            ):  # one after the other: imports are heavy
                process = stack.enter_context(started(command(model, mode, way, trace), log))
                block(process, max(2, steps // 4), log)
                processes.append(process)
            until = time.monotonic() + 60 * minutes
            for turn in range(rounds):
                if turn and time.monotonic() > until:
                    break
                order = range(len(ways)) if turn % 2 == 0 else reversed(range(len(ways)))
                for index in order:
                    seconds, megabytes = block(processes[index], steps, logs[index])
                    measured[index].blocks.append(seconds)
                    measured[index].megabytes = max(megabytes, measured[index].megabytes)
        for entry, trace in zip(measured, traces, strict=True):
            if trace.exists():
                weigh(entry, trace)


def weigh(entry: Measured, trace: Path) -> None:
    """Note how large a recording is."""
    from tapeinspect.trace.reader import open_trace

    reader = open_trace(trace)
    try:
        ops = reader.counts.ops
        steps = [step.ops for step in reader.steps() if step.last_op is not None]
    finally:
        reader.close()
    entry.bytes_per_op = trace.stat().st_size / ops if ops else None
    entry.ops_per_step = statistics.median(steps) if steps else None


def compare(model: str, mode: str, measured: Sequence[Measured], steps: int) -> list[Result]:
    """Each way beside the bare one, round by round."""
    bare = measured[0].blocks
    results = []
    for entry in measured:
        ratios = sorted(one / other for one, other in zip(entry.blocks, bare, strict=True))
        quarter = len(ratios) // 4
        results.append(
            Result(
                model,
                mode,
                entry.way,
                statistics.median(entry.blocks) / steps,
                statistics.median(ratios),
                ratios[quarter],
                ratios[-1 - quarter],
                entry.megabytes,
                entry.bytes_per_op,
                entry.ops_per_step,
                len(ratios),
            )
        )
    return results


def save(results: Sequence[Result], path: Path) -> None:
    """Add results to a file, one JSON object a line."""
    with path.open("a") as file:
        file.writelines(json.dumps(dataclasses.asdict(result)) + "\n" for result in results)


def saved(path: Path) -> list[Result]:
    """The results in such a file, the last of each model, mode and way."""
    found = [Result(**json.loads(line)) for line in path.read_text().splitlines()]
    last = {(result.model, result.mode, result.way): result for result in found}
    return list(last.values())


HEADINGS: Final = (
    "model",
    "mode",
    "way",
    "ms a step",
    "ratio",
    "quartiles",
    "peak MB",
    "bytes an op",
    "ops a step",
    "rounds",
)


def row(result: Result) -> tuple[str, ...]:
    """A result as the cells of a table."""
    return (
        result.model,
        result.mode,
        f"tapeinspect {result.way}" if result.way.partition(" ")[0] in LEVELS else result.way,
        f"{1000 * result.seconds:.1f}",
        f"{result.ratio:.2f}x",
        f"{result.low:.2f}-{result.high:.2f}",
        f"{result.megabytes:.0f}",
        "" if result.bytes_per_op is None else f"{result.bytes_per_op:.0f}",
        "" if result.ops_per_step is None else f"{result.ops_per_step:.0f}",
        str(result.rounds),
    )


def print_table(results: Sequence[Result], markdown: bool) -> None:
    """Print all results, in Markdown or in columns."""
    rows = [HEADINGS, *map(row, results)]
    widths = [max(len(cells[column]) for cells in rows) for column in range(len(HEADINGS))]
    for number, cells in enumerate(rows):
        padded = [cell.ljust(width) for cell, width in zip(cells, widths, strict=True)]
        print(f"| {' | '.join(padded)} |" if markdown else "  ".join(padded).rstrip())
        if number == 0 and markdown:
            print(f"|{'|'.join('-' * (width + 2) for width in widths)}|")


def machine() -> str:
    """The machine and the versions, in one line."""
    cpu = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [
            line.partition(":")[2].strip() for line in info.read_text().splitlines() if "model name" in line
        ]
        cpu = names[0] if names else cpu
    return (
        f"{cpu}, {os.cpu_count()} CPUs, Python {platform.python_version()}, "
        f"TensorFlow {version('tensorflow')}, tapeinspect {version('tapeinspect')}"
    )


def main() -> None:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument(
        "--models", nargs="+", choices=tuple(STEPS), default=["mnist", "transformer", "resnet50"]
    )
    parser.add_argument("--modes", nargs="+", choices=("eager", "graph"), default=["eager", "graph"])
    parser.add_argument("--levels", nargs="*", choices=LEVELS, default=list(LEVELS))
    parser.add_argument("--no-tfdbg", action="store_true", help="leave TensorFlow's own debugger out")
    parser.add_argument("--python", action="store_true", help="also without the op callback's C code")
    parser.add_argument(
        "--torchlens",
        action="store_true",
        help="also TorchLens' backend for TensorFlow (pip install torchlens)",
    )
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--lives", type=int, default=3, help="how often the processes are begun anew (3)")
    parser.add_argument(
        "--quick", action="store_true", help="mnist in eager mode, bare, off and health, 4 rounds"
    )
    parser.add_argument("--markdown", action="store_true", help="print the table in Markdown")
    parser.add_argument("--minutes", type=float, default=1e9, help="at most, for each model and mode")
    parser.add_argument("--save", type=Path, metavar="FILE", help="add the results to this file")
    parser.add_argument("--show", type=Path, metavar="FILE", help="measure nothing; print what --save kept")
    options = parser.parse_args()
    if options.show:
        print_table(saved(options.show), options.markdown)
        return
    if options.quick:
        options.models, options.modes, options.levels = ["mnist"], ["eager"], ["off", "health"]
        options.no_tfdbg, options.rounds, options.lives = True, 4, 1
    alone = [PYTHON] if options.python else []
    others = [] if options.no_tfdbg else [f"tfdbg {mode}" for mode in TFDBG]
    ways = [BARE, *options.levels, *alone, *others, *([TORCHLENS] if options.torchlens else [])]
    print(machine(), flush=True)
    results: list[Result] = []
    for model in options.models:
        for mode in options.modes:
            steps = (STEPS if mode == "eager" else GRAPH_STEPS)[model]
            measured = measure(model, mode, ways, options.rounds, steps, options.minutes, options.lives)
            found = compare(model, mode, measured, steps)
            if options.save:
                save(found, options.save)
            results += found
            print(f"{model}, {mode}: done", file=sys.stderr)
    print_table(results, options.markdown)


if __name__ == "__main__":
    main()
