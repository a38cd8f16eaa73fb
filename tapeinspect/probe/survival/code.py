"""What the text of a user's file says of a line: what it binds outside of its function, what it calls."""

from __future__ import annotations

import ast
import linecache
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

_MISSING = object()


@dataclass(frozen=True, slots=True)
class Store:
    """A statement that binds something that may outlive the call."""

    base: ast.expr | None
    """The object whose attribute or item is bound; None for a global or outer variable."""
    name: str
    """The attribute, the variable, or the text of the item."""
    kind: str
    """'attribute', 'item', 'global' or 'nonlocal'."""
    text: str
    """As written."""
    key: ast.expr | None = None
    """Of an item."""


@dataclass(slots=True)
class FileCode:
    """The stores, calls and reads of a file, by line."""

    stores: dict[int, list[Store]] = field(default_factory=lambda: defaultdict(list))
    calls: dict[int, list[ast.Call]] = field(default_factory=lambda: defaultdict(list))
    loops: dict[int, list[ast.expr]] = field(default_factory=lambda: defaultdict(list))
    """What each `for` runs over."""
    reads: dict[int, list[ast.Name]] = field(default_factory=lambda: defaultdict(list))
    attributes: dict[int, list[ast.Attribute]] = field(default_factory=lambda: defaultdict(list))
    """Those that are read of a plain name: `self.rate`."""
    handlers: dict[int, list[ast.ExceptHandler]] = field(default_factory=lambda: defaultdict(list))
    """Those of a `try`, at the first line of its body."""
    functions: list[tuple[int, int]] = field(default_factory=list)
    """First and last line of each."""

    def function(self, line: int) -> tuple[int, int] | None:
        """The innermost function that a line belongs to."""
        return max((span for span in self.functions if span[0] <= line <= span[1]), default=None)


_files: dict[str, FileCode] = {}


def of_file(path: str) -> FileCode:
    """What the text of a file says; nothing when there is no text, or when it is not Python."""
    found = _files.get(path)
    if found is None:
        found = _files[path] = FileCode()
        try:
            tree = ast.parse("".join(linecache.getlines(path)))
        except (SyntaxError, ValueError, RecursionError):
            return found
        _Reader(found).visit(tree)
    return found


class _Reader(ast.NodeVisitor):
    def __init__(self, code: FileCode) -> None:
        self._code = code
        self._outer: list[dict[str, str]] = [{}]

    def visit_FunctionDef(self, node: Any) -> None:
        names = {n: "global" for s in ast.walk(node) if isinstance(s, ast.Global) for n in s.names}
        names |= {n: "nonlocal" for s in ast.walk(node) if isinstance(s, ast.Nonlocal) for n in s.names}
        self._outer.append(names)
        self._code.functions.append((node.lineno, node.end_lineno))
        self.generic_visit(node)
        self._outer.pop()

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_Assign(self, node: ast.Assign) -> None:
        for target in node.targets:
            self._bind(target)
        self.generic_visit(node)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        self._bind(node.target)
        self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self._bind(node.target)
        self.generic_visit(node)

    def visit_For(self, node: ast.For) -> None:
        self._code.loops[node.lineno].append(node.iter)
        self.generic_visit(node)

    def visit_Try(self, node: ast.Try) -> None:
        self._code.handlers[node.body[0].lineno] += node.handlers
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        self._code.calls[node.lineno].append(node)
        self.generic_visit(node)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        if isinstance(node.ctx, ast.Load) and isinstance(node.value, ast.Name):
            self._code.attributes[node.lineno].append(node)
        self.generic_visit(node)

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Load):
            self._code.reads[node.lineno].append(node)

    def _bind(self, target: ast.expr) -> None:
        if isinstance(target, (ast.Tuple, ast.List)):
            for part in target.elts:
                self._bind(part)
            return
        text, line = ast.unparse(target), target.lineno
        if isinstance(target, ast.Attribute):
            self._code.stores[line].append(Store(target.value, target.attr, "attribute", text))
        elif isinstance(target, ast.Subscript):
            self._code.stores[line].append(Store(target.value, text, "item", text, target.slice))
        elif isinstance(target, ast.Name) and target.id in self._outer[-1]:
            kind = self._outer[-1][target.id]
            self._code.stores[line].append(Store(None, target.id, kind, text))


def resolve(node: ast.expr, local: dict[str, Any], globals_: dict[str, Any]) -> Any:
    """The object of a name or a chain of attributes, with no code of the user's run; None when that cannot be."""
    found = _resolve(node, local, globals_)
    return None if found is _MISSING else found


def _resolve(node: ast.expr, local: dict[str, Any], globals_: dict[str, Any]) -> Any:
    if isinstance(node, ast.Name):
        if node.id in local:
            return local[node.id]
        builtin = globals_.get("__builtins__")
        more = builtin if isinstance(builtin, dict) else getattr(builtin, "__dict__", {})
        return globals_.get(node.id, more.get(node.id, _MISSING))
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.Attribute):
        base = _resolve(node.value, local, globals_)
        return _MISSING if base is _MISSING else attribute(base, node.attr)
    return _MISSING


def attribute(base: Any, name: str) -> Any:
    """An attribute that can be looked up with no code of the user's run; `missing()` tells when it cannot."""
    kind = type(base)
    if kind.__name__ == "module" or kind.__module__.split(".")[0] in (
        "builtins",
        "collections",
        "random",
        "numpy",
    ):
        return getattr(base, name, _MISSING)
    if isinstance(base, type):
        return base.__dict__.get(name, _MISSING)
    return getattr(base, "__dict__", {}).get(name, _MISSING)


def missing(value: Any) -> bool:
    """Whether `attribute` found nothing."""
    return value is _MISSING
