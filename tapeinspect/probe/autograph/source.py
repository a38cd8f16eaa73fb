"""The user's source as a tree: where functions stand in their file, their constructs, and the lines they have."""

from __future__ import annotations

import ast
import inspect
import linecache
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from types import CodeType
from typing import Any

from tapeinspect.probe import tf_autograph

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
_PLACED = {
    ast.If: "if",
    ast.While: "while",
    ast.For: "for",
    ast.Break: "break",
    ast.Continue: "continue",
    ast.Return: "return",
    ast.IfExp: "conditional",
    ast.Assert: "assert",
    ast.Compare: "comparison",
    ast.Lambda: "lambda",
    ast.ListComp: "comprehension",
    ast.SetComp: "comprehension",
    ast.DictComp: "comprehension",
    ast.GeneratorExp: "comprehension",
}


@dataclass(frozen=True, slots=True)
class Source:
    """A function in its file."""

    path: str
    line: int
    """Where it begins, decorators included."""
    end_line: int
    text: str
    """From `line` to `end_line`, as it stands in the file."""
    node: FunctionNode | None
    """None when the file does not parse, or when nothing in it is this function."""


@dataclass(frozen=True, slots=True)
class Construct:
    """One construct in the source. Columns count characters."""

    what: str
    node: ast.AST
    line: int
    end_line: int | None
    col: int | None
    end_col: int | None
    loops: tuple[tuple[str, int], ...]
    """(construct, line) of the `if`s and loops around it in its function, outermost first."""


def source_of(function: Any) -> Source | None:
    """Where a function, or a code object, stands; None when there is no source."""
    code = function if isinstance(function, CodeType) else tf_autograph.code_of(function)
    if code is None:
        code = getattr(type(function).__call__, "__code__", None)  # of an object that is called
    if code is None:
        return None
    try:
        lines, first = inspect.getsourcelines(code)
    except (OSError, TypeError, SyntaxError, IndentationError):
        return None
    node = node_at(code.co_filename, code)
    end = getattr(node, "end_lineno", None) or first + len(lines) - 1
    if node is not None and isinstance(node, ast.Lambda):
        first = node.lineno
        lines = linecache.getlines(code.co_filename)[first - 1 : end]
    return Source(code.co_filename, first, end, "".join(lines), node)


def node_at(path: str, code: CodeType) -> FunctionNode | None:
    """The node of a function; of several lambdas on a line the one with these parameters, if only one has."""
    names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    found = [
        node
        for node in _functions(path)
        if _first_line(node) == code.co_firstlineno
        and (
            isinstance(node, ast.Lambda)
            if code.co_name == "<lambda>"
            else getattr(node, "name", "") == code.co_name
        )
    ]
    if len(found) > 1:
        args = [tuple(a.arg for a in (*n.args.posonlyargs, *n.args.args, *n.args.kwonlyargs)) for n in found]
        found = [node for node, own in zip(found, args, strict=True) if own == names]
    return found[0] if len(found) == 1 else None


def _first_line(node: FunctionNode) -> int:
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return min([node.lineno, *(decorator.lineno for decorator in decorators)])


@lru_cache(maxsize=64)
def _functions(path: str) -> tuple[FunctionNode, ...]:
    try:
        tree = ast.parse("".join(linecache.getlines(path)))
    except (SyntaxError, ValueError, RecursionError):
        return ()
    return tuple(
        node
        for node in ast.walk(tree)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
    )


def nested(node: FunctionNode) -> list[tuple[FunctionNode, str]]:
    """The functions and lambdas written inside a function, with their names as Python would qualify them."""
    found: list[tuple[FunctionNode, str]] = []

    def visit(parent: ast.AST, prefix: str) -> None:
        for child in ast.iter_child_nodes(parent):
            if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
                name = f"{prefix}.<locals>.{getattr(child, 'name', '<lambda>')}"
                found.append((child, name))
                visit(child, name)
            else:
                visit(child, prefix)

    visit(node, getattr(node, "name", "<lambda>"))
    return found


def constructs(source: Source) -> list[Construct]:
    """The constructs of a function, those of nested functions included, in the order of the source."""
    if source.node is None:
        return []
    lines = linecache.getlines(source.path)
    found = [_construct(what, node, around, lines) for what, node, around in _walk(source.node)]
    return sorted(found, key=lambda construct: (construct.line, construct.col or 0))


def _construct(what: str, node: Any, around: tuple[tuple[str, int], ...], lines: list[str]) -> Construct:
    end_line = node.end_lineno
    if what in ("if", "while", "for"):  # its header
        end_line = node.test.end_lineno if what != "for" else node.iter.end_lineno
        end_col = _characters(lines, end_line, (node.test if what != "for" else node.iter).end_col_offset)
    else:
        end_col = _characters(lines, end_line, node.end_col_offset)
    return Construct(
        what, node, node.lineno, end_line, _characters(lines, node.lineno, node.col_offset), end_col, around
    )


def _characters(lines: list[str], line: int, offset: int) -> int:
    text = lines[line - 1] if 0 < line <= len(lines) else ""
    return len(text.encode()[:offset].decode(errors="replace"))


def _walk(root: FunctionNode) -> Iterator[tuple[str, ast.AST, tuple[tuple[str, int], ...]]]:
    def visit(node: ast.AST, around: tuple[tuple[str, int], ...]) -> Iterator[Any]:
        what = _what(node)
        if what is not None and node is not root:
            yield what, node, around
        inner = around
        if isinstance(node, (ast.If, ast.While, ast.For)):
            inner = (*around, (_PLACED[type(node)], node.lineno))
        elif node is not root and isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            inner = ()
        for child in ast.iter_child_nodes(node):
            if node is root and child in getattr(node, "decorator_list", ()):
                continue
            yield from visit(child, inner)

    yield from visit(root, ())


def _what(node: ast.AST) -> str | None:
    if isinstance(node, ast.BoolOp):
        return "and" if isinstance(node.op, ast.And) else "or"
    if isinstance(node, ast.UnaryOp):
        return "not" if isinstance(node.op, ast.Not) else None
    if isinstance(node, ast.Call):
        if isinstance(node.func, ast.Name) and node.func.id == "print":
            return "print"
        if isinstance(node.func, ast.Attribute) and node.func.attr == "append":
            return "append"
        return None
    return _PLACED.get(type(node))


def statement_lines(source: Source) -> set[int]:
    """The lines that statements of a function begin at, its own header and docstrings apart."""
    if source.node is None:
        return set()
    if isinstance(source.node, ast.Lambda):
        return {source.node.body.lineno}
    found: set[int] = set()
    for node in ast.walk(source.node):
        if (
            not isinstance(node, ast.stmt)
            or node is source.node
            or isinstance(node, (ast.Global, ast.Nonlocal))
        ):
            continue
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            continue
        found.add(node.lineno)
    return found
