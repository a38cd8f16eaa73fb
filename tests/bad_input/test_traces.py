"""Trace files that cannot be read, and odd ones that can: `open` and `export`, seen from outside."""

from __future__ import annotations

import json
import os
import random
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tapeinspect.trace.schema import FORMAT
from tests.cli.running import COMMAND, SECONDS, OnTerminal, run
from tests.trace.builders import Recording


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recording of 500 ops."""
    made = Recording(tmp_path_factory.mktemp("whole") / "run.tape")
    for index in range(500):
        made.op("MatMul", [1000 + index], line=1 + index % 20, norm=1.0)
    made.step(1, 1, 500, loss=0.5)
    return made.done()


def refused(path: Path, *words: str) -> None:
    """`open` and `export` say one sentence with these words, print nothing and return 2."""
    for command in ("open", "export"):
        done = run(command, path.name, cwd=path.parent)
        lines = done.stderr.decode().splitlines()
        assert (done.returncode, done.stdout) == (2, b""), (command, done.stderr)
        assert lines[0].startswith("tapeinspect: ")
        assert len(lines) <= 2
        for word in words:
            assert word in lines[0], lines


def ops(path: Path) -> int:
    done = run("export", path.name, cwd=path.parent)
    assert (done.returncode, done.stderr) == (0, b""), done.stderr
    return sum(json.loads(line)["kind"] == "op" for line in done.stdout.splitlines())


def test_a_whole_one(whole: Path) -> None:
    assert ops(whole) == 500


def test_missing(tmp_path: Path) -> None:
    refused(tmp_path / "run.tape", "there is no file run.tape")


def test_a_directory(tmp_path: Path) -> None:
    (tmp_path / "run.tape").mkdir()
    refused(tmp_path / "run.tape", "is a directory")


def test_empty(tmp_path: Path) -> None:
    (tmp_path / "run.tape").touch()
    refused(tmp_path / "run.tape", "is empty")


@pytest.mark.parametrize("share", [0.001, 0.1, 0.5, 0.99])
def test_truncated(tmp_path: Path, whole: Path, share: float) -> None:
    data = whole.read_bytes()
    (tmp_path / "run.tape").write_bytes(data[: int(len(data) * share)])
    refused(tmp_path / "run.tape", "run.tape is cut off")


def test_a_jpeg(tmp_path: Path) -> None:
    (tmp_path / "run.tape").write_bytes(
        b"\xff\xd8\xff\xe0\0\x10JFIF\0\x01" + random.Random(1).randbytes(5000)
    )
    refused(tmp_path / "run.tape", "run.tape is not a recording")


def test_a_database_of_somebody_elses(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "run.tape") as connection:
        connection.execute("CREATE TABLE diary (day TEXT)")
    connection.close()
    refused(tmp_path / "run.tape", "but not a recording")


def test_a_newer_format(tmp_path: Path, whole: Path) -> None:
    path = tmp_path / "run.tape"
    shutil.copy(whole, path)
    with sqlite3.connect(path) as connection:
        connection.execute(f"PRAGMA user_version = {FORMAT + 1}")
    connection.close()
    refused(path, "was written by a newer tapeinspect", f"format {FORMAT + 1}")


def test_damaged_inside(tmp_path: Path, whole: Path) -> None:
    """Overwritten pages give a sentence or as much as can be read, never a traceback."""
    data = bytearray(whole.read_bytes())
    data[8192 * 2 : 8192 * 12] = random.Random(1).randbytes(8192 * 10)
    (tmp_path / "run.tape").write_bytes(data)
    done = run("export", "run.tape", cwd=tmp_path)
    assert done.returncode in (0, 2)
    assert b"Traceback" not in done.stderr
    assert done.returncode == 0 or done.stderr.startswith(b"tapeinspect: run.tape is damaged")


def test_read_only(tmp_path: Path, whole: Path) -> None:
    path = tmp_path / "run.tape"
    shutil.copy(whole, path)
    path.chmod(0o444)
    tmp_path.chmod(0o555)
    try:
        assert ops(path) == 500
        assert os.listdir(tmp_path) == ["run.tape"]
    finally:
        tmp_path.chmod(0o755)


WRITER = """
import sys
from pathlib import Path
from tests.trace.builders import Recording
made = Recording(Path(sys.argv[1]))
for index in range(300):
    made.op("MatMul", [1000 + index])
made.writer.commit()
made.op("Uncommitted")
print("ready", flush=True)
sys.stdin.readline()
made.done()
"""


@pytest.fixture
def being_written(tmp_path: Path) -> Iterator[Path]:
    """A recording that another process is writing: 300 ops in it, one on the way."""
    path = tmp_path / "run.tape"
    root = Path(__file__).parents[2]
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path)], cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        yield path
        process.stdin.close()
        assert process.wait(SECONDS) == 0
    assert ops(path) == 301


def test_being_written_by_another_process(being_written: Path) -> None:
    assert ops(being_written) == 300


def test_no_terminal_to_open_it_on(whole: Path) -> None:
    done = run("open", whole.name, cwd=whole.parent)
    assert done.returncode == 2
    assert done.stderr.decode().splitlines() == [
        "tapeinspect: there is no terminal to draw on",
        f"  for the recording as data: tapeinspect export {whole.name}",
    ]


@pytest.mark.pty
def test_a_read_only_one_on_the_screen(tmp_path: Path, whole: Path) -> None:
    path = tmp_path / "run.tape"
    shutil.copy(whole, path)
    path.chmod(0o444)
    with OnTerminal([*COMMAND, "open", "run.tape"], tmp_path) as terminal:
        terminal.read_until(b"MatMul")
        terminal.type(b"q")
        assert terminal.wait() == 0
    assert os.listdir(tmp_path) == ["run.tape"]
