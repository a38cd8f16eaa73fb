"""What importing each part of tapeinspect loads, seen from a fresh interpreter."""

from __future__ import annotations

import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import tapeinspect

ROOMS = Path(tapeinspect.__file__).parent


def modules_of(room: str) -> list[str]:
    """The modules of a room, itself included."""
    folder = [str(ROOMS / room)]
    found = pkgutil.walk_packages(folder, prefix=f"tapeinspect.{room}.")
    return [f"tapeinspect.{room}", *(module.name for module in found)]


def loaded_by(code: str) -> set[str]:
    """The top-level packages that a fresh interpreter has loaded after running the code."""
    report = "import sys; print('\\n'.join({name.partition('.')[0] for name in sys.modules}))"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\n{report}"], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


def importing(*modules: str) -> str:
    """Code that imports these modules."""
    return "\n".join(f"import {module}" for module in modules)


def test_the_screen_loads_no_tensorflow() -> None:
    loaded = loaded_by(importing(*modules_of("ui")))
    assert "textual" in loaded
    assert not loaded & {"tensorflow", "keras", "numpy"}


@pytest.mark.parametrize("room", ["trace", "link", "session", "analysis", "report", "cli"])
def test_the_tools_side_loads_neither_tensorflow_nor_textual(room: str) -> None:
    assert not loaded_by(importing(*modules_of(room))) & {"tensorflow", "keras", "textual"}


def test_reading_a_recording_loads_no_numpy() -> None:
    assert "numpy" not in loaded_by("import tapeinspect.trace.reader")


def test_the_probe_by_itself_loads_nothing_heavy() -> None:
    assert not loaded_by("import tapeinspect.probe") & {"tensorflow", "keras", "textual", "numpy", "sqlite3"}


@pytest.mark.tf
def test_the_probe_loads_no_textual() -> None:
    probe = [name for name in modules_of("probe") if "sitecustomize" not in name]
    loaded = loaded_by(importing(*probe))
    assert not loaded & {"textual", "rich", "pygments"}


@pytest.mark.parametrize("argument", ["--help", "--version"])
def test_help_loads_neither(argument: str) -> None:
    code = f"""
import sys
from tapeinspect.cli.main import main
sys.stdout.write = lambda text: len(text)
try:
    assert main(["{argument}"]) == 0
except SystemExit as end:
    assert not end.code
del sys.stdout.write"""
    assert not loaded_by(code) & {"tensorflow", "keras", "textual", "rich", "pygments", "numpy", "sqlite3"}


def test_importing_the_package_loads_only_itself() -> None:
    code = "import sys; before = set(sys.modules); import tapeinspect; print(set(sys.modules) - before)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "'tapeinspect'" in done.stdout
    assert "tapeinspect." not in done.stdout


def test_all_is_what_is_exported() -> None:
    public = {name for name in vars(tapeinspect) if not name.startswith("_")} - {
        "annotations",
        "TYPE_CHECKING",
        "Any",
    }
    loaded_rooms = {name.rpartition(".")[2] for name in sys.modules if name.startswith("tapeinspect.")}
    assert public - loaded_rooms <= set(tapeinspect.__all__)
    assert tapeinspect.open_trace.__module__ == "tapeinspect.trace.reader"
    assert tapeinspect.__all__ == sorted(tapeinspect.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = tapeinspect.nothing


def test_record_is_exported() -> None:
    code = "import tapeinspect; from tapeinspect import record; print(record.__module__, callable(record))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout.split() == ["tapeinspect.probe.api", "True"], done.stderr
