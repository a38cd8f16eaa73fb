"""The op callback's C code records what its Python code records, and takes nearly all ops of a step."""

from __future__ import annotations

import json
import math
import sqlite3
import sys
import sysconfig
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tapeinspect.probe import native
from tapeinspect.trace.reader import open_trace
from tests.forks import Forks

SCRIPT = Path(__file__).parents[1] / "probe" / "scripts" / "predicted_ops.py"
TIMES = ("time_us", "took_ns")
TABLES = ("kind", "frame", "stack", "health", "op_output", "op_tape", "gradient")
pytestmark = [
    pytest.mark.tf,
    pytest.mark.skipif(
        not native.available(), reason="there was no C compiler when tapeinspect was installed"
    ),
]


@dataclass(frozen=True)
class Recorded:
    """What came of recording the script in one of the two ways."""

    taken: int
    reads_frames: bool
    losses: list[str]
    ops: list[tuple[Any, ...]]
    rows: dict[str, list[Any]]


def _record(forks: Forks, folder: Path, use_native: bool) -> Recorded:
    trace = folder / f"{use_native}.tape"
    env = {"TAPEINSPECT_NATIVE": str(int(use_native))}
    # a budget that is soon spent, so that what is kept alive has to go again
    options = ["--quiet", "--values", "health", "--memory", "200K", "-o", str(trace)]
    run = forks.tapeinspect(["record", *options, str(SCRIPT)], folder, 250, env=env)
    run.check_returncode()
    truth = json.loads(next(line for line in run.stdout.splitlines() if line.startswith(b"TRUTH "))[6:])
    reader = open_trace(trace)
    try:
        assert not reader.probe_errors()
    finally:
        reader.close()
    with closing(sqlite3.connect(trace)) as file:
        columns = [row[1] for row in file.execute("PRAGMA table_info(op)") if row[1] not in TIMES]
        ops = file.execute(f"SELECT {', '.join(columns)} FROM op ORDER BY id").fetchall()
        rows = {table: file.execute(f"SELECT * FROM {table}").fetchall() for table in TABLES}
    return Recorded(truth["taken"], truth["reads_frames"], truth["losses"], ops, rows)


def alike(one: Any, other: Any) -> bool:
    """Whether rows are the same, numbers but for the rounding: C sums in double precision, NumPy need not."""
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=1e-5, abs_tol=1e-6)
    if isinstance(one, dict):
        return bool(one.keys() == other.keys()) and all(alike(one[key], other[key]) for key in one)
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(alike, one, other))
    return bool(one == other)


@pytest.fixture(scope="module")
def both(forks: Forks, tmp_path_factory: pytest.TempPathFactory) -> tuple[Recorded, Recorded]:
    folder = tmp_path_factory.mktemp("native")
    return _record(forks, folder, True), _record(forks, folder, False)


def test_the_script_computes_the_same(both: tuple[Recorded, Recorded]) -> None:
    assert both[0].losses == both[1].losses


def test_every_op_is_recorded_alike(both: tuple[Recorded, Recorded]) -> None:
    in_c, in_python = both
    assert len(in_c.ops) > 500
    assert alike(in_c.ops, in_python.ops)


def test_stacks_kinds_and_health_are_alike(both: tuple[Recorded, Recorded]) -> None:
    in_c, in_python = both
    assert alike(in_c.rows, in_python.rows)
    assert in_c.rows["health"], "the batch with NaN has rows of its own"


def test_python_alone_has_no_c(both: tuple[Recorded, Recorded]) -> None:
    in_c, in_python = both
    assert in_python.taken == 0
    assert in_c.taken > 0.4 * len(in_c.ops)


def test_frames_are_read_where_the_interpreter_has_them(both: tuple[Recorded, Recorded]) -> None:
    header = Path(sysconfig.get_path("include")) / "internal" / "pycore_frame.h"
    assert both[0].reads_frames == (sys.version_info >= (3, 11) and header.exists())


@pytest.mark.parametrize("use_native", [True, False], ids=["c", "python"])
def test_an_assignment_right_behind_next_looks_at_what_that_gave(
    forks: Forks, tmp_path: Path, use_native: bool
) -> None:
    """It is the only op at which the item is still under its name; without the item the step cannot be run again."""
    command = ["diff", "--format", "json", "--steps", "4", str(SCRIPT.with_name("takes_then_assigns.py"))]
    done = forks.tapeinspect(command, tmp_path, 250, env={"TAPEINSPECT_NATIVE": str(int(use_native))})
    assert done.returncode == 1, done.stderr.decode()
    found = json.loads(done.stdout)
    assert [finding["rule"] for finding in found["findings"]] == ["python-iterator"]
    assert [gradient["verdict"] for gradient in found["gradients"]] == ["bit-equal"]
