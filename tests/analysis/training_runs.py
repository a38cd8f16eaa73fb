"""Recordings of wrong and of healthy training, made once for all tests that look at them."""

from __future__ import annotations

import ast
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from tapeinspect.analysis.findings import find
from tapeinspect.trace.reader import TraceReader, open_trace
from tapeinspect.trace.records import Finding
from tests.forks import Forks

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

    def __init__(self, folder: Path, forks: Forks) -> None:
        self._folder = folder
        self._forks = forks
        self._readers: dict[str, TraceReader] = {}
        self._found: dict[str, list[Finding]] = {}
        demos = [str(ROOT / "demos" / f"{demo}.py") for demo in DEMOS]
        with ThreadPoolExecutor(2) as pool:
            running = [
                pool.submit(self._run, "wrong", CASES),
                pool.submit(self._run, "healthy", HEALTHY / "run_all.py", *demos),
            ]
        self._said = "".join(run.result() for run in running)

    def _run(self, name: str, script: Path, *args: str) -> str:
        folder = self._folder / name
        folder.mkdir()
        done = self._forks.run(script, [str(folder), *args], script.parent, _TIMEOUT, [ROOT])
        return (done.stdout + done.stderr).decode()

    def trace(self, name: str) -> TraceReader:
        """A recording: `wrong/softmax_twice`, `healthy/vae`."""
        if name not in self._readers:
            path = self._folder / f"{name}.tape"
            assert path.exists(), self._said
            assert f"FAILED {path.stem}\n" not in self._said, self._said
            reader = self._readers[name] = open_trace(path)
            assert [error.detail for error in reader.probe_errors()] == []
        return self._readers[name]

    def findings(self, name: str) -> list[Finding]:
        """What is found in a recording."""
        if name not in self._found:
            self._found[name] = find(self.trace(name))
        return self._found[name]

    def close(self) -> None:
        """Close the recordings."""
        for reader in self._readers.values():
            reader.close()
