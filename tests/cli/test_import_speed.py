"""What is imported when: `--help` must answer at once, and the tool's side never imports TensorFlow."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ("textual", "tensorflow", "keras", "numpy", "sqlite3", "pygments", "asyncio")


def imported(code: str) -> set[str]:
    """The heavy packages that a piece of code has imported."""
    code = f"""
import sys
try:
    {code}
finally:
    print("imported", *(name for name in {HEAVY!r} if name in sys.modules), file=sys.__stderr__)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=150)
    last = done.stderr.splitlines()[-1].split()
    assert last[0] == "imported", done.stderr
    return set(last[1:])


@pytest.mark.parametrize(
    "args", [["--help"], ["record", "--help"], ["export", "-h"], ["info", "-h"], ["--version"]]
)
def test_help_imports_nothing_heavy(args: list[str]) -> None:
    assert imported(f"from tapeinspect.cli.main import main; main({args!r})") == set()


def test_a_missing_script_is_told_without_the_screen() -> None:
    assert imported("from tapeinspect.cli.main import main; main(['nowhere.py'])") == set()


@pytest.mark.parametrize(
    "module",
    ["link.channel", "session.launch", "session.check", "session.state", "session.finish", "cli.run"],
)
def test_the_session_starts_light(module: str) -> None:
    assert imported(f"import tapeinspect.{module}") == set()


@pytest.mark.parametrize("module", ["session.target", "report.jsonl", "report.info", "cli.record"])
def test_no_tensorflow_and_no_screen(module: str) -> None:
    assert not imported(f"import tapeinspect.{module}") & {"textual", "tensorflow", "keras"}


def test_the_measure_itself_sees_imports() -> None:
    assert imported("import sqlite3, asyncio") == {"sqlite3", "asyncio"}
