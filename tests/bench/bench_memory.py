"""Whether a long recording takes more and more memory: resident megabytes after so many steps and ten times as many.

    python -m tests.bench.bench_memory [STEPS] [MODEL]

One process runs bare and one is recorded; both take the same steps, in blocks. What a process grows by, once the
memory for tensors (`--memory`, 256 MB) is full, should be next to nothing.
"""

from __future__ import annotations

import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from tests.bench.bench_recording import BARE, block, command, started

TIMES = 10


def resident(pid: int) -> float:
    """Megabytes of a process that are in memory."""
    status = Path(f"/proc/{pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1]) / 1024


def main() -> None:
    """Measure and print."""
    steps = int(sys.argv[1]) if len(sys.argv) > 1 else 150
    model = sys.argv[2] if len(sys.argv) > 2 else "mnist"
    ways = (BARE, "off", "health")
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        processes = []
        for way in ways:
            log, trace = Path(folder, f"{way}.log"), Path(folder, f"{way}.tape")
            processes.append(
                (way, log, stack.enter_context(started(command(model, "eager", way, trace), log)))
            )
        print(
            f"{model}: resident MB after steps\n{'':8}" + "".join(f"{steps * n:>8}" for n in (1, 2, 5, TIMES))
        )
        for way, log, process in processes:
            pids = children(process.pid)
            found = []
            for n in range(1, TIMES + 1):
                block(process, steps, log)
                if n in (1, 2, 5, TIMES):
                    found.append(max(resident(pid) for pid in pids or [process.pid]))
                pids = children(process.pid)
            print(
                f"{way:8}"
                + "".join(f"{mb:8.0f}" for mb in found)
                + f"  {found[-1] / found[0]:.2f}x, {found[-1] - found[1]:+.0f} MB from {2 * steps} on"
            )


def children(pid: int) -> list[int]:
    """A process and those that it started: the script runs in a child of the recorder."""
    found = [pid]
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            found += children(int(child))
    return found


if __name__ == "__main__":
    main()
