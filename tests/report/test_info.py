"""`tapeinspect info`: what a bug report needs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import tapeinspect
from tapeinspect.report import info
from tests.cli.running import run


def test_text(tmp_path: Path) -> None:
    done = run("info", cwd=tmp_path, env={"TERM": "xterm-kitty"})
    text = done.stdout.decode()
    assert (done.returncode, done.stderr) == (0, b"")
    for words in (
        f"tapeinspect           {tapeinspect.__version__}\n",
        "TERM                  xterm-kitty\n",
        f"python                {sys.executable}\n",
        f"current directory     {tmp_path}\n",
        "tapeinspect info --probe",
    ):
        assert words in text


def test_json(tmp_path: Path) -> None:
    body = json.loads(run("info", "--format", "json", cwd=tmp_path).stdout)
    assert body["versions"]["tapeinspect"] == tapeinspect.__version__
    assert body["versions"]["textual"].startswith("8.")
    assert "capabilities" not in body


@pytest.mark.parametrize(
    ("stdout", "code", "expected"),
    [
        (
            '{"ops": {"available": true, "for": "recording ops"}}',
            0,
            {"ops": {"available": True, "for": "recording ops"}},
        ),
        ("", 1, {"error": "ImportError: no tensorflow"}),
        ("no json", 0, {"error": "ImportError: no tensorflow"}),
        ("[1]", 0, {"error": "ImportError: no tensorflow"}),
    ],
)
def test_what_the_probe_says(
    monkeypatch: pytest.MonkeyPatch, stdout: str, code: int, expected: dict[str, Any]
) -> None:
    def answer(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess(command, code, stdout, "Traceback\nImportError: no tensorflow\n")

    monkeypatch.setattr(subprocess, "run", answer)
    assert info.probe() == expected


def test_a_probe_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    def hang(command: list[str], **_: object) -> None:
        raise subprocess.TimeoutExpired(command, 1.0)

    monkeypatch.setattr(subprocess, "run", hang)
    assert "timed out" in info.probe()["error"]
    text = info.text({}, info.probe())
    assert "what can be recorded with this TensorFlow: unknown (" in text


def test_capabilities_as_text() -> None:
    found = {"ops": {"available": True, "for": "recording ops"}, "gone": {"available": False, "for": "more"}}
    lines = info.text({}, found).splitlines()
    assert [line.split() for line in lines[1:]] == [
        ["ops", "yes", "recording", "ops"],
        ["gone", "no", "more"],
    ]


@pytest.mark.tf
def test_the_real_probe(tmp_path: Path) -> None:
    done = run("info", "--probe", "--format", "json", cwd=tmp_path)
    capabilities = json.loads(done.stdout)["capabilities"]
    assert done.returncode == 0
    assert "error" not in capabilities, capabilities
    assert all(set(entry) == {"available", "for"} for entry in capabilities.values())
    assert any(entry["available"] for entry in capabilities.values())
