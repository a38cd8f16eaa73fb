"""The README says what is so: its commands, its keys, the files it names."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")


def test_the_keys_are_those_of_the_screen() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tapeinspect.ui.actions"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout.strip().startswith("| keys | action |")
    assert done.stdout.strip() in README


def test_setting_up_takes_two_commands_of_one_line() -> None:
    commands = re.findall(r"^ +(python3 -m venv .*)$", README, re.MULTILINE)
    assert [command.split(" && ")[-1].split()[0] for command in commands] == [
        ".venv/bin/tapeinspect",
        ".venv/bin/pytest",
    ]


def test_the_files_it_names_are_there() -> None:
    named = set(re.findall(r"\b(?:demos|tests|tapeinspect)/[\w/.]*\w|\.ci/\w+", README))
    assert {"demos/nan.py", "tests/scripts", "tapeinspect/trace/schema.py", ".ci/run"} <= named
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_the_lines_it_names_hold_what_it_says() -> None:
    nan, none = (
        (ROOT / "demos" / name).read_text("utf-8").splitlines() for name in ("nan.py", "none_gradient.py")
    )
    assert "line 35" in README and "tf.math.log(" in nan[34]
    assert "line 38" in README and "tf.argmax(" in none[37]
    assert "line 39" in README and "brightness.numpy()" in none[38]
