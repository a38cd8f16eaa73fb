"""How fast a recording of a million ops is read, beside what was promised.

    python -m tests.bench.bench_reader [RECORDING] [--ops N]

Makes the recording when none is named. The exit status is 1 when a figure misses its limit.
"""

from __future__ import annotations

import argparse
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tapeinspect.trace.reader import TraceReader, open_trace, parse_filter
from tapeinspect.trace.records import OpFilter

FILTERS = (
    "matmul",
    "type:Mul",
    "nan",
    "tape",
    "backward",
    "-backward",
    "line:60",
    "file:model.py softmax",
    "reduce_mean mask",
    "tape type:MatMul",
    "backward mul",
    "e",
)


def main() -> int:
    """Measure in a process of its own, so that making the recording does not count as memory."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("recording", nargs="?", type=Path)
    parser.add_argument("--ops", type=int, default=1_000_000)
    parser.add_argument("--measure", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        return measure(options.recording)
    with tempfile.TemporaryDirectory() as directory:
        recording = options.recording or Path(directory, "million.tape")
        if options.recording is None:
            subprocess.run(
                [sys.executable, "-m", "tests.bench.million_ops", str(recording), str(options.ops)],
                check=True,
            )
        return subprocess.run([sys.executable, "-m", __spec__.name, str(recording), "--measure"]).returncode


def measure(recording: Path) -> int:
    """Print a line for each promise; 1 when one is not kept."""
    misses = 0

    def line(what: str, value: float, limit: float, unit: str) -> None:
        nonlocal misses
        misses += value > limit
        verdict = "ok" if value <= limit else "MISSED"
        print(f"{what:<50} {value:9.1f} {unit:<4} limit {limit:6.0f} {unit:<4} {verdict}")

    took, reader = _timed(lambda: _open(recording))
    ops = reader.counts.ops
    line(f"open, first screen ({ops:,} ops)", took, 1000, "ms")
    line("steps", _timed(reader.steps)[0], 1000, "ms")
    rng = random.Random(1)
    jumps = [rng.randrange(1, max(2, ops - 50)) for _ in range(200)]
    line(
        "jump to a window of 50 rows, worst of 200",
        _worst([lambda a=a: reader.rows(range(a, a + 50)) for a in jumps]),
        50,
        "ms",
    )
    line("whole record of an op, worst of 200", _worst([lambda a=a: reader.op(a) for a in jumps]), 50, "ms")
    tensors = [tensor for a in jumps for tensor in reader.op(a).inputs]
    line("who made a tensor, worst", _worst([lambda t=t: reader.producer(t) for t in tensors]), 50, "ms")
    line(
        "who took a tensor, worst of 200",
        _worst([lambda t=t: reader.consumers(t) for t in tensors[:200]]),
        50,
        "ms",
    )
    steps = reader.steps()
    some = [rng.choice(steps).id for _ in range(50)]
    line(
        "gradients of a step, worst of 50", _worst([lambda s=s: reader.gradients(s) for s in some]), 50, "ms"
    )
    line("tapes of a step, worst of 50", _worst([lambda s=s: reader.tapes(s) for s in some]), 50, "ms")
    line(
        "line costs of a step, worst of 50",
        _worst([lambda s=s: reader.line_costs(2, s) for s in some]),
        50,
        "ms",
    )
    line("norms for sparklines", _timed(reader.norms)[0], 50, "ms")
    line("refresh", _timed(reader.refresh)[0], 1, "ms")
    for text in FILTERS:
        took, ids = min(
            (_timed(lambda text=text: reader.op_ids(parse_filter(text))) for _ in range(3)),
            key=lambda run: run[0],
        )
        line(f"filter {text!r}: {len(ids):,}, best of 3", took, 500, "ms")
        window = ids[len(ids) // 2 : len(ids) // 2 + 50]
        line(
            f"  a window of it ({len(window)} rows)",
            _timed(lambda window=window: reader.rows(window))[0],
            50,
            "ms",
        )
    line("line costs of the whole recording", _timed(lambda: reader.line_costs(2, None))[0], 1000, "ms")
    line(
        "memory of this process, at its highest",
        resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        200,
        "MB",
    )
    line("file", recording.stat().st_size / max(1, ops), 120, "B/op")
    return 1 if misses else 0


def _open(recording: Path) -> TraceReader:
    reader = open_trace(recording)
    reader.rows(reader.op_ids(OpFilter())[:50])
    return reader


def _timed(call: Callable[[], object]) -> tuple[float, object]:
    began = time.perf_counter()
    result = call()
    return (time.perf_counter() - began) * 1000, result


def _worst(calls: list[Callable[[], object]]) -> float:
    return max(_timed(call)[0] for call in calls)


if __name__ == "__main__":
    sys.exit(main())
