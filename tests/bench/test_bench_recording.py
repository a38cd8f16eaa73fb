"""The benchmark of recording: its arithmetic, its table, and a short run of it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.bench.bench_recording import (
    BARE,
    Measured,
    block,
    command,
    compare,
    print_table,
    save,
    saved,
    started,
)

ROOT = Path(__file__).parents[2]


def test_a_ratio_is_the_median_of_the_rounds() -> None:
    bare = Measured(BARE, [1.0, 2.0, 10.0, 1.0])
    health = Measured("health", [1.1, 2.4, 13.0, 1.5], 700.0, 90.0, 250.0)
    results = compare("mnist", "eager", [bare, health], steps=2)
    assert [result.ratio for result in results] == pytest.approx([1.0, 1.25])
    assert (results[1].low, results[1].high) == pytest.approx((1.2, 1.3))
    assert results[1].seconds == pytest.approx(0.975)


def test_the_table_in_markdown(capsys: pytest.CaptureFixture[str]) -> None:
    ways = [
        Measured(BARE, [1.0]),
        Measured("off", [1.5], 700.0, 90.4, 250.0),
        Measured("tfdbg NO_TENSOR", [3.0]),
    ]
    print_table(compare("mnist", "graph", ways, steps=10), markdown=True)
    lines = [re.sub(" +", " ", line) for line in capsys.readouterr().out.splitlines()]
    assert (
        lines[0]
        == "| model | mode | way | ms a step | ratio | quartiles | peak MB | bytes an op | ops a step | rounds |"
    )
    assert set(lines[1]) == {"|", "-"}
    assert lines[3] == "| mnist | graph | tapeinspect off | 150.0 | 1.50x | 1.50-1.50 | 700 | 90 | 250 | 1 |"
    assert lines[4] == "| mnist | graph | tfdbg NO_TENSOR | 300.0 | 3.00x | 3.00-3.00 | 0 | | | 1 |"


def test_parts_add_up_to_a_table(tmp_path: Path) -> None:
    path = tmp_path / "parts.jsonl"
    first = compare("mnist", "eager", [Measured(BARE, [1.0]), Measured("off", [1.5])], steps=1)
    other = compare("resnet50", "eager", [Measured(BARE, [9.0])], steps=1)
    again = compare("mnist", "eager", [Measured(BARE, [1.0, 1.0]), Measured("off", [1.1, 1.2])], steps=1)
    for part in (first, other, again):
        save(part, path)
    assert saved(path) == [*again, *other]


def test_the_recorded_process_is_the_bare_one_under_record() -> None:
    bare = command("mnist", "graph", BARE, Path("x.tape"))
    recorded = command("mnist", "graph", "off", Path("x.tape"))
    assert recorded[-len(bare) + 1 :] == bare[1:]
    assert recorded[1:4] == ["-m", "tapeinspect", "record"]


def test_a_process_that_fails_is_quoted(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with (
        pytest.raises(SystemExit, match="no such model"),
        started([sys.executable, "-c", "import sys; sys.exit('no such model')"], log) as process,
    ):
        process.wait(30)
        block(process, 1, log)


@pytest.mark.tf
def test_a_short_run(tmp_path: Path) -> None:
    """What it measures is there; how large the ratio is says nothing on a machine that does other things."""
    options = [
        "--models",
        "mnist",
        "--modes",
        "eager",
        "--levels",
        "health",
        "--no-tfdbg",
        "--rounds",
        "2",
        "--lives",
        "1",
    ]
    parts = tmp_path / "parts.jsonl"
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.bench_recording", *options, "--save", str(parts)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "tapeinspect health" in done.stdout
    bare, health = saved(parts)
    assert [bare.way, health.way] == [BARE, "health"]
    assert bare.ratio == 1 and bare.ops_per_step is None
    assert health.rounds == 2 and health.ratio > 0 and health.megabytes > 100
    assert health.ops_per_step and health.ops_per_step > 200
    assert health.bytes_per_op and health.bytes_per_op < 1000
