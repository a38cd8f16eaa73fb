"""Commands, exit statuses, and what is said when something goes wrong."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

import tapeinspect
from tapeinspect.cli import diagnostics, main
from tests.cli.running import COMMAND, run


@pytest.mark.parametrize(
    ("args", "message", "hint"),
    [
        ([], "no script was named", "see: tapeinspect --help"),
        (["record"], "no script was named", ""),
        (["--nonsense", "a.py"], "unrecognized arguments: --nonsense", "see: tapeinspect --help"),
        (["--step", "3", "a.py"], "unrecognized arguments: --step", ""),
        (["record", "--steps", "0", "a.py"], "argument --steps: '0' is not a whole number from 1", ""),
        (["--memory", "lots", "a.py"], "argument --memory: 'lots' is not a size such as 256M or 1G", ""),
        (["--mode", "fast", "a.py"], "argument --mode: invalid choice: 'fast'", ""),
        (["nowhere.py"], "there is no file nowhere.py", ""),
        (["open"], "the following arguments are required: TRACE", "see: tapeinspect open --help"),
        (["open", "nowhere.tape"], "there is no file nowhere.tape", ""),
        (["export", "nowhere.tape"], "there is no file nowhere.tape", ""),
        (["export", "--format", "xml", "x"], "argument --format: invalid choice: 'xml'", ""),
        (["info", "extra"], "unrecognized arguments: extra", ""),
    ],
)
def test_usage(args: list[str], message: str, hint: str, tmp_path: Path) -> None:
    done = run(*args, cwd=tmp_path)
    lines = done.stderr.decode().splitlines()
    assert done.returncode == 2
    assert done.stdout == b""
    assert lines[0].startswith(f"tapeinspect: {message}")
    assert len(lines) <= 2
    assert hint in (lines[1] if len(lines) > 1 else "")


def test_help_lists_what_works(tmp_path: Path) -> None:
    done = run("--help", cwd=tmp_path)
    text = done.stdout.decode()
    assert (done.returncode, done.stderr) == (0, b"")
    for word in (
        "record",
        "open",
        "export",
        "info",
        "autograph",
        "diff",
        "report",
        "--output",
        "--steps",
        "--mode",
        "--values",
        "--memory",
    ):
        assert word in text


def test_version(tmp_path: Path) -> None:
    assert run("--version", cwd=tmp_path).stdout.decode() == f"tapeinspect {tapeinspect.__version__}\n"


def test_a_script_named_like_a_command(tmp_path: Path) -> None:
    (tmp_path / "record").write_text("import sys; print(sys.argv)")
    assert run("./record", "--help", cwd=tmp_path).stdout == b"['./record', '--help']\n"


def crash(*args: object) -> int:
    raise RuntimeError("the flux is out of phase")


@pytest.fixture
def crashing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(main, "import_module", lambda name: SimpleNamespace(run=crash))


def test_a_failure_of_our_own(
    crashing: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.delenv("TAPEINSPECT_DEBUG", raising=False)
    assert main.main(["info"]) == 125
    (saved,) = tmp_path.iterdir()
    assert "the flux is out of phase" in saved.read_text()
    assert "in crash" in saved.read_text()


def test_what_a_failure_says(tmp_path: Path) -> None:
    code = """
import sys
from types import SimpleNamespace
from tapeinspect.cli import main
def crash(*args): raise RuntimeError("the flux is out of phase")
main.import_module = lambda name: SimpleNamespace(run=crash)
sys.exit(main.main(["info"]))
"""
    done = run(cwd=tmp_path, command=[sys.executable, "-c", code], env={"TMPDIR": str(tmp_path)})
    (saved,) = tmp_path.iterdir()
    assert done.returncode == 125
    assert done.stderr.decode().splitlines() == [
        "tapeinspect: tapeinspect itself failed: RuntimeError: the flux is out of phase",
        f"  please report it with the traceback in {saved}",
    ]
    done = run(cwd=tmp_path, command=[sys.executable, "-c", code], env={"TAPEINSPECT_DEBUG": "1"})
    assert done.returncode == 125
    assert "Traceback (most recent call last)" in done.stderr.decode()


def test_interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt() -> int:
        raise KeyboardInterrupt

    assert diagnostics.run_guarded(interrupt) == 130


def test_a_reader_that_has_enough(tmp_path: Path) -> None:
    """`tapeinspect info | head -1` says nothing about a broken pipe."""
    code = """
import sys
from types import SimpleNamespace
from tapeinspect.cli import main
def write(*args):
    for i in range(100_000): sys.stdout.write("a line of some length\\n")
    return 0
main.import_module = lambda name: SimpleNamespace(run=write)
sys.exit(main.main(["export"]))
"""
    with subprocess.Popen(
        [sys.executable, "-c", code], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(30) == 0


def test_no_stderr_at_all(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("raise SystemExit(4)")
    command = ["sh", "-c", 'exec "$@" 2>&-', "sh", *COMMAND]
    assert run("nowhere.py", cwd=tmp_path, command=command).returncode == 2
    assert run("record", "a.py", cwd=tmp_path, command=command).returncode == 4
