"""The syntax tree of a source in the trace: the expression that a frame was at, and what stands around it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import lru_cache

from tapeinspect.trace.reader import TraceReader
from tapeinspect.trace.records import Frame

Scope = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.Module
Binding = ast.Assign | ast.AugAssign | ast.AnnAssign | ast.For
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.Module)


class Syntax:
    """A parsed source. Lines count from 1, columns from 0 in characters, as in `Frame`."""

    def __init__(self, source: str) -> None:
        self.tree = ast.parse(source)
        self.parents: dict[ast.AST, ast.AST] = {}
        self.imports: dict[str, str] = {}
        """The package that each imported name comes from."""
        self._lines = source.splitlines()
        self._by_line: dict[int, list[ast.expr]] = {}
        self._functions: dict[str, list[ast.FunctionDef | ast.AsyncFunctionDef]] = {}
        self._bindings: dict[Scope, list[Binding]] = {}
        self._index(self.tree, self.tree)

    def _index(self, root: ast.AST, scope: Scope) -> None:
        waiting: list[tuple[ast.AST, Scope]] = [(root, scope)]
        while waiting:
            node, scope = waiting.pop()
            for child in ast.iter_child_nodes(node):
                self.parents[child] = node
                waiting.append((child, child if isinstance(child, _SCOPES) else scope))
            if isinstance(node, ast.expr):
                self._by_line.setdefault(node.lineno, []).append(node)
            elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                self._functions.setdefault(node.name, []).append(node)
            elif isinstance(node, (ast.Assign, ast.AugAssign, ast.AnnAssign, ast.For)):
                self._bindings.setdefault(scope, []).append(node)
            elif isinstance(node, ast.Import):
                for alias in node.names:
                    root_name = alias.name.split(".")[0]
                    self.imports[alias.asname or root_name] = root_name
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                for alias in node.names:
                    self.imports[alias.asname or alias.name] = node.module.split(".")[0]

    def bindings(self, scope: Scope) -> list[Binding]:
        """The statements of one function, not of those inside it, that bind names to values; in order."""
        return sorted(self._bindings.get(scope, []), key=lambda node: (node.lineno, node.col_offset))

    def expression(self, frame: Frame) -> ast.expr | None:
        """The expression that a frame was evaluating; None where only the line is known, or the source differs."""
        if frame.line is None or frame.col is None:
            return None
        wanted = (frame.end_line, frame.col, frame.end_col)
        for node in self._by_line.get(frame.line, []):
            if node.end_lineno is None or node.end_col_offset is None:
                continue
            span = (node.end_lineno, self._column(node.lineno, node.col_offset),
                    self._column(node.end_lineno, node.end_col_offset))  # fmt: skip
            if span == wanted:
                return node
        return None

    def above(self, node: ast.AST) -> Iterator[ast.AST]:
        """What a node stands in, from the inside outward."""
        while (parent := self.parents.get(node)) is not None:
            yield parent
            node = parent

    def scope(self, node: ast.AST) -> Scope:
        """The function, or the module, that a node belongs to."""
        return next((above for above in self.above(node) if isinstance(above, _SCOPES)), self.tree)

    def text(self, node: ast.AST) -> str:
        """The source of an expression or statement on one line, cut short."""
        line, end = getattr(node, "lineno", 0), getattr(node, "end_lineno", None) or 0
        if not 0 < line <= end <= len(self._lines):
            return ""
        first, last = (
            self._column(line, getattr(node, "col_offset", 0)),
            self._column(end, getattr(node, "end_col_offset", 0)),
        )
        rows = self._lines[line - 1 : end]
        rows[-1] = rows[-1][:last]
        rows[0] = rows[0][first:]
        text = " ".join(row.strip() for row in rows)
        return text if len(text) <= 60 else text[:59] + "…"

    def function(self, name: str) -> ast.FunctionDef | ast.AsyncFunctionDef | None:
        """The only function of this name in the file; None when there is none, or more than one."""
        found = self._functions.get(name, [])
        return found[0] if len(found) == 1 else None

    def _column(self, line: int, offset: int) -> int:
        """A byte offset in UTF-8 as a number of characters."""
        text = self._lines[line - 1] if line <= len(self._lines) else ""
        return offset if text.isascii() else len(text.encode()[:offset].decode(errors="replace"))


def syntax_of(reader: TraceReader, file: int) -> Syntax | None:
    """The syntax tree of a file; None when its source was not kept, or this Python cannot parse it."""
    try:
        source = reader.file(file).source
    except KeyError:
        return None
    return None if source is None else _parsed(source)


def dotted(node: ast.AST) -> str | None:
    """`a.b.c` of a name or attribute, None for anything else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        inner = dotted(node.value)
        return None if inner is None else f"{inner}.{node.attr}"
    return None


def names_in(node: ast.AST) -> set[str]:
    """Every name and dotted name that an expression reads."""
    return {name for part in ast.walk(node) if (name := dotted(part)) is not None}


@lru_cache(maxsize=32)
def _parsed(source: str) -> Syntax | None:
    try:
        return Syntax(source)
    except (SyntaxError, ValueError, RecursionError):
        return None
