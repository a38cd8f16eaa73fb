"""The line of the user's code that changes or reads something, found in its source."""

from __future__ import annotations

import ast
import inspect
import linecache
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from tapeinspect.probe.code import known_as

_RANDOM = {"random": ("random",), "numpy.random": ("np.random", "numpy.random")}

_LOGGING = ("debug", "info", "warning", "error", "exception", "critical", "log", "write")


@dataclass(frozen=True, slots=True)
class Spot:
    """One line of the user's."""

    path: str
    line: int


class Blame:
    """Looks things up in the functions that the step consists of: its own first, then the others of its file."""

    def __init__(self, function: Any, role: Callable[[str], str]) -> None:
        code = inspect.unwrap(getattr(function, "__func__", function)).__code__
        self._path = code.co_filename
        self._bodies: list[tuple[str, ast.AST]] = []
        self.start = Spot(code.co_filename, code.co_firstlineno)
        if role(code.co_filename) != "library":
            self._bodies = list(_functions(code.co_filename, code.co_firstlineno))
            if (real := known_as(code.co_filename)) != code.co_filename:  # a loop's body, alone in its source
                self._bodies += list(_functions(real, code.co_firstlineno))

    def change(self, path: str) -> Spot | None:
        """Where something is changed: `self.counter`, `loss_history`, `table['k']`."""
        return self._first(lambda node: any(_means(ast.unparse(t), path) for t in _targets(node)))

    def call(self, *names: str) -> Spot | None:
        """Where a function is called."""
        return self._first(lambda node: isinstance(node, ast.Call) and ast.unparse(node.func) in names)

    def output(self) -> Spot | None:
        """Where something is printed or logged."""
        found = self.call("print", "sys.stdout.write", "sys.stderr.write", "warnings.warn")
        return found or self._first(
            lambda node: (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr in _LOGGING
            )
        )

    def random(self, source: str) -> Spot | None:
        """Where Python's or NumPy's random numbers are drawn, or those of a generator."""
        starts = _RANDOM.get(source, (source,))
        return self._first(
            lambda node: (
                isinstance(node, ast.Call)
                and ast.unparse(node.func).startswith(tuple(f"{s}." for s in starts))
            )
        )

    def use(self, path: str) -> Spot | None:
        """Where something is read."""
        last = path.rpartition(".")[2]
        return self._first(
            lambda node: (
                isinstance(node, (ast.Name, ast.Attribute))
                and isinstance(node.ctx, ast.Load)
                and ast.unparse(node).rpartition(".")[2] == last
            )
        )

    def _first(self, wanted: Callable[[ast.AST], bool]) -> Spot | None:
        for path, body in self._bodies:
            found = [node for node in ast.walk(body) if wanted(node)]
            if found:
                return Spot(path, min(getattr(node, "lineno", 1) for node in found))
        return None


def _functions(path: str, line: int) -> Iterator[tuple[str, ast.AST]]:
    """The function that begins at a line, then the other functions of the file."""
    try:
        tree = ast.parse("".join(linecache.getlines(path)))
    except (SyntaxError, ValueError):
        return
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
    found = [node for node in ast.walk(tree) if isinstance(node, kinds)]
    found.sort(key=lambda node: _first_line(node) != line)
    for node in found:
        yield path, node


def _first_line(node: Any) -> int:
    lines: list[int] = [node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))]
    return min(lines)


def _targets(node: ast.AST) -> Iterator[ast.AST]:
    """What a statement or call changes."""
    if isinstance(node, ast.Assign):
        for target in node.targets:
            yield from target.elts if isinstance(target, (ast.Tuple, ast.List)) else [target]
    elif isinstance(node, (ast.AugAssign, ast.AnnAssign)):
        yield node.target
    elif isinstance(node, ast.Delete):
        yield from node.targets
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        yield node.func.value  # a method may change its object
    elif (
        isinstance(node, ast.Call)
        and ast.unparse(node.func) in ("next", "setattr", "heapq.heappush")
        and node.args
    ):
        yield node.args[0]


def _means(target: str, path: str) -> bool:
    """Whether a target in the source is what a walk from the step's function called so."""
    target, path = (text.replace('"', "'") for text in (target, path))
    if target == path or path.startswith((f"{target}[", f"{target}.")) or target.startswith(f"{path}["):
        return True
    head, _, last = path.rpartition(".")
    return bool(head) and target.rpartition(".")[2] == last and "." in target
