"""What is recorded in a fork of a process that has imported TensorFlow is what is recorded in a process of its own."""

from __future__ import annotations

import io
import json
import tempfile
from pathlib import Path
from typing import Any

import pytest

from tapeinspect.report import jsonl
from tests.forks import Forks
from tests.recording.programs import BOTH, Program, Runner, demos, scripts

pytestmark = pytest.mark.tf
TENSORS = ("id", "inputs", "of", "summed", "tensor")
"""Keys of the export behind which stands the id of a tensor."""


def exported(trace: Path) -> list[Any]:
    """Every line of the export without its times, and what has other names in each run by its number as it comes.

    Those are the ids of tensors, since a dataset makes its elements in threads of its own, and AutoGraph's files.
    """
    stream = io.BytesIO()
    jsonl.write(trace, stream)
    known: dict[Any, int] = {}

    def number(name: Any) -> int:
        return known.setdefault(name, len(known))

    def same(value: Any, key: str = "") -> Any:
        if isinstance(value, dict):
            return {key: same(part, key) for key, part in value.items() if key != "seconds"}
        if isinstance(value, list):
            return [same(part, key) for part in value]
        named = value is not None and (key in TENSORS or (key == "file" and "__autograph_generated" in value))
        return number(value) if named else value

    return [same(json.loads(line)) for line in stream.getvalue().splitlines()]


@pytest.mark.parametrize(
    "program", [p for p in [*scripts(), *demos()] if p.name in BOTH], ids=lambda program: program.name
)
def test_the_same_is_recorded(program: Program, runner: Runner, forks: Forks, tmp_path: Path) -> None:
    mode = "graph" if program.graph else "eager"
    in_process = runner.run(program, mode)
    trace = tmp_path / "fork.tape"
    with tempfile.TemporaryDirectory(dir=tmp_path) as cwd:
        command = ["record", "--mode", mode, "-o", str(trace), str(program.path), *program.args]
        assert forks.tapeinspect(command, cwd, 150).returncode == program.exit_status
    assert in_process.trace is not None
    assert exported(trace) == exported(in_process.trace)
