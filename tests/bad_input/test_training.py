"""However a training run ends, what was recorded is in the file, whole, with the exit status.

One run of TensorFlow for each way to end; two at a time, since each takes seconds to import it.
"""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.cli.running import COMMAND, OnTerminal, run

pytestmark = pytest.mark.tf
SCRIPT = str(Path(__file__).parent / "training.py")
WAYS = ("kill", "_exit", "raise", "fill")

Runs = dict[str, "Future[subprocess.CompletedProcess[bytes]]"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("training")


@pytest.fixture(scope="module")
def runs(folder: Path) -> Iterator[Runs]:
    """Each way to end, running in the background."""

    def start(way: str) -> subprocess.CompletedProcess[bytes]:
        limit = "ulimit -f 700; " if way == "fill" else ""  # blocks of 512 bytes, or of 1024: a full disk
        command = ["sh", "-c", f'{limit}exec "$@"', "sh", *COMMAND]
        return run("record", "-o", f"{way}.tape", SCRIPT, way, cwd=folder, command=command)

    with ThreadPoolExecutor(2) as pool:
        yield {way: pool.submit(start, way) for way in WAYS}


def whole(trace: Path) -> dict[str, list[dict[str, Any]]]:
    """The lines of a recording by kind; it is one file that can be copied."""
    assert [p.name for p in trace.parent.iterdir() if p.name.startswith(trace.name)] == [trace.name]
    done = run("export", trace.name, cwd=trace.parent)
    assert (done.returncode, done.stderr) == (0, b""), done.stderr
    kinds: dict[str, list[dict[str, Any]]] = {"step": [], "gradient": [], "error": [], "op": []}
    for line in map(json.loads, done.stdout.splitlines()):
        kinds.setdefault(line["kind"], []).append(line)
    return kinds


@pytest.mark.parametrize(("way", "status"), [("kill", 137), ("_exit", 7), ("raise", 1)])
def test_nothing_recorded_is_lost(folder: Path, runs: Runs, way: str, status: int) -> None:
    done = runs[way].result()
    assert done.returncode == status
    kinds = whole(folder / f"{way}.tape")
    assert kinds["meta"][0]["exit_status"] == status
    batches = 2 if way == "kill" else 3  # the batch that has just ended may be on its way when SIGKILL comes
    assert [step["step"] for step in kinds["step"]][:batches] == [1, 2, 3][:batches]
    assert len(kinds["gradient"]) >= batches
    assert f"tapeinspect open {way}.tape" in done.stderr.decode()
    errors = [error["type"] for error in kinds["error"]]
    assert errors == (["ZeroDivisionError"] if way == "raise" else [])


def test_the_disk_is_full(folder: Path, runs: Runs) -> None:
    """The script trains on to its end, and what was recorded before is kept."""
    done = runs["fill"].result()
    assert (done.returncode, done.stdout) == (4, b"trained\n")
    assert "cannot be written any further" in done.stderr.decode()
    kinds = whole(folder / "fill.tape")
    assert 1 <= len(kinds["step"]) < 400


@pytest.mark.pty
def test_ctrl_c_while_it_trains(tmp_path: Path) -> None:
    with OnTerminal([*COMMAND, "record", "-o", "a.tape", SCRIPT, "wait"], tmp_path) as terminal:
        terminal.read_until(b"waiting")
        terminal.type(b"\x03")
        assert terminal.wait() == 130
        assert b"KeyboardInterrupt" in terminal.written
    kinds = whole(tmp_path / "a.tape")
    assert kinds["meta"][0]["exit_status"] == 130
    assert [error["type"] for error in kinds["error"]] == ["KeyboardInterrupt"]
    assert len(kinds["step"]) >= 3


@pytest.mark.pty
def test_the_terminal_is_closed_under_the_screen_while_it_trains(tmp_path: Path) -> None:
    with OnTerminal([*COMMAND, "-o", "a.tape", SCRIPT, "wait"], tmp_path) as terminal:
        terminal.read_until(b"PAUSED")
        terminal.hang_up()
        assert terminal.wait() in (128 + signal.SIGHUP, 128 + signal.SIGTERM)
    kinds = whole(tmp_path / "a.tape")
    assert kinds["meta"][0]["exit_status"] in (128 + signal.SIGHUP, 128 + signal.SIGTERM)
    assert len(kinds["step"]) >= 1
