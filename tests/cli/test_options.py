"""Where our options end and the script's begin, and what options mean."""

from __future__ import annotations

import argparse
import os
from argparse import Namespace
from pathlib import Path

import pytest

from tapeinspect.cli.options import add_recording_options, take_apart
from tapeinspect.cli.parsing import Parser, count, size
from tapeinspect.cli.prepare import prepare
from tapeinspect.errors import ScriptError, UsageError


@pytest.mark.parametrize(
    ("argv", "options", "script", "module", "args"),
    [
        (["a.py"], [], "a.py", None, []),
        (["a.py", "--help", "-o", "--", "x"], [], "a.py", None, ["--help", "-o", "--", "x"]),
        (["-o", "x", "a.py", "-o", "y"], ["-o", "x"], "a.py", None, ["-o", "y"]),
        (["--steps=3", "--no-source", "a.py"], ["--steps=3", "--no-source"], "a.py", None, []),
        (["--mode", "graph", "-m", "p.q", "-m", "r"], ["--mode", "graph"], None, "p.q", ["-m", "r"]),
        (["--", "-a.py", "x"], [], "-a.py", None, ["x"]),
        (["-"], [], "-", None, []),
        (["--steps"], ["--steps"], None, None, []),
        ([], [], None, None, []),
    ],
)
def test_taking_a_command_line_apart(
    argv: list[str], options: list[str], script: str | None, module: str | None, args: list[str]
) -> None:
    assert take_apart(argv) == (tuple(options), script, module, tuple(args))


def test_m_without_a_module() -> None:
    with pytest.raises(UsageError):
        take_apart(["-m"])


@pytest.mark.parametrize(
    ("text", "bytes_"),
    [
        ("4096", 4096),
        ("256M", 256 << 20),
        ("1.5g", 3 << 29),
        ("64 KiB", 64 << 10),
        ("0", 0),
        ("1TB", 1 << 40),
    ],
)
def test_sizes(text: str, bytes_: int) -> None:
    assert size(text) == bytes_


@pytest.mark.parametrize("text", ["", "M", "-1", "1X", "1e9", "ten", "1.5.5G"])
def test_what_is_no_size(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError):
        size(text)


@pytest.mark.parametrize("text", ["0", "-3", "1.5", "", "x", "1" * 30])
def test_what_is_no_count(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError):
        count(text)


def parsed(*options: str) -> Namespace:
    parser = Parser("tapeinspect", "", "")
    add_recording_options(parser)
    return parser.parse_args(options)


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "train.v2.py").write_text("pass")
    return "sub/train.v2.py"


def test_defaults(tmp_path: Path, script: str) -> None:
    launch = prepare(take_apart([script, "--lr", "1"]), parsed(), screen=True)
    config = launch.config
    assert (launch.script, launch.module, launch.args, launch.pty) == (
        Path(script),
        None,
        ("--lr", "1"),
        True,
    )
    assert config.output == str(tmp_path / "train.v2.tape")
    assert config.script == str(tmp_path / script)
    assert config.argv == (script, "--lr", "1")
    assert (config.mode, config.values, config.memory, config.max_size) == (
        "eager",
        "health",
        256 << 20,
        2 << 30,
    )
    assert (config.steps, config.pause_at, config.source) == (None, 1, True)
    assert dict(launch.env) == dict(os.environ)


def test_every_option(tmp_path: Path, script: str) -> None:
    options = parsed(
        "-o", "x.tape", "--steps", "5", "--mode", "graph", "--values", "full", "--memory", "1G",
        "--max-size", "10M", "--no-source",
    )  # fmt: skip
    launch = prepare(take_apart([script]), options, screen=False)
    config = launch.config
    assert config.output == str(tmp_path / "x.tape")
    assert (config.mode, config.values, config.memory, config.max_size) == (
        "graph",
        "full",
        1 << 30,
        10 << 20,
    )
    assert (config.steps, config.pause_at, config.source, launch.pty) == (5, None, False, False)
    assert prepare(take_apart([script]), parsed("--no-values"), screen=False).config.values == "off"


def test_a_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pack").mkdir()
    (tmp_path / "pack" / "__main__.py").write_text("pass")
    launch = prepare(take_apart(["-m", "pack", "x"]), parsed(), screen=False)
    assert (launch.script, launch.module, launch.args) == (None, "pack", ("x",))
    assert launch.config.output == str(tmp_path / "pack.tape")
    assert launch.config.script == str(tmp_path / "pack" / "__main__.py")


def test_a_current_directory_that_is_not_writable(
    tmp_path: Path, script: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    real = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != tmp_path and real(path, mode))
    output = Path(prepare(take_apart([script]), parsed(), screen=False).config.output)
    assert output.name == "train.v2.tape"
    assert output.parent != tmp_path
    output.parent.rmdir()


@pytest.mark.parametrize(
    ("output", "message"),
    [("sub", "is a directory"), ("nowhere/x.tape", "is no directory"), ("notes.txt", "is not a recording")],
)
def test_an_output_that_cannot_be(tmp_path: Path, script: str, output: str, message: str) -> None:
    (tmp_path / "notes.txt").write_text("dear diary")
    with pytest.raises(UsageError, match=message):
        prepare(take_apart([script]), parsed("-o", output), screen=False)
    assert (tmp_path / "notes.txt").read_text() == "dear diary"


def test_no_script_and_no_such_script(script: str) -> None:
    with pytest.raises(UsageError, match="no script"):
        prepare(take_apart([]), parsed(), screen=False)
    with pytest.raises(ScriptError, match="there is no file"):
        prepare(take_apart(["nowhere.py"]), parsed(), screen=False)
