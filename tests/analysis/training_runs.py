"""Recordings of wrong and of healthy training, made once for all tests that look at them."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from functools import cached_property
from pathlib import Path
from typing import Final

from tapeinspect.analysis.findings import find
from tapeinspect.trace.reader import TraceReader, open_trace
from tapeinspect.trace.records import Finding

ROOT: Final = Path(__file__).parents[2]
CASES: Final = ROOT / "tests" / "scripts" / "health" / "cases.py"
HEALTHY: Final = ROOT / "tests" / "scripts" / "healthy"
DEMOS: Final = ("mnist_eager", "mnist_function", "keras_fit", "gan")
"""The demos that nothing is wrong with."""
_TIMEOUT: Final = 800


def cases() -> dict[str, tuple[str, ...]]:
    """Each case with the rules it may trigger, the one that it must first; none for a near miss."""
    found: dict[str, tuple[str, ...]] = {}
    for node in ast.parse(CASES.read_text("utf-8")).body:
        for decorator in node.decorator_list if isinstance(node, ast.FunctionDef) else ():
            if isinstance(decorator, ast.Call) and getattr(decorator.func, "id", "") == "wrong":
                found[node.name] = tuple(ast.literal_eval(argument) for argument in decorator.args)  # type: ignore[attr-defined]
            elif isinstance(decorator, ast.Name) and decorator.id == "right":
                found[node.name] = ()  # type: ignore[attr-defined]
    return found


def healthy() -> list[str]:
    """The names of the healthy scripts."""
    return sorted(path.stem for path in HEALTHY.glob("*.py") if path.stem not in ("__init__", "run_all"))


class TrainingRuns:
    """Both sets, recorded side by side."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._readers: list[TraceReader] = []
        self._processes = [
            self._start("wrong", CASES),
            self._start("healthy", HEALTHY / "run_all.py", *(str(ROOT / "demos" / f"{d}.py") for d in DEMOS)),
        ]

    def _start(self, name: str, script: Path, *args: str) -> subprocess.Popen[str]:
        folder = self._folder / name
        folder.mkdir()
        path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
        return subprocess.Popen(
            [sys.executable, str(script), str(folder), *args],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=script.parent,
            env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONPATH": path},
        )

    @cached_property
    def said(self) -> str:
        """What the two processes printed; waits for them."""
        return "".join(process.communicate(timeout=_TIMEOUT)[0] for process in self._processes)

    def trace(self, name: str) -> TraceReader:
        """A recording: `wrong/softmax_twice`, `healthy/vae`."""
        path = self._folder / f"{name}.tape"
        said = self.said
        assert path.exists(), said
        assert f"FAILED {path.stem}\n" not in said, said
        reader = open_trace(path)
        self._readers.append(reader)
        assert [error.detail for error in reader.probe_errors()] == []
        return reader

    def findings(self, name: str) -> list[Finding]:
        """What is found in a recording."""
        return find(self.trace(name))

    def close(self) -> None:
        """Close the recordings; end what still runs."""
        for reader in self._readers:
            reader.close()
        for process in self._processes:
            process.kill()
