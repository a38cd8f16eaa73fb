"""Which construct of the source an operator of AutoGraph's stands for, where several of a kind share a line.

AutoGraph's source map knows lines. A generated line holds the operators of the statement it comes from in an order that
follows from the statement, so that they can be counted off; Python 3.11 and later tell which of them a frame is at.
"""

from __future__ import annotations

import ast
import linecache
import sys
from collections.abc import Iterator
from functools import lru_cache
from itertools import islice
from types import CodeType
from typing import Any, Final, TypeAlias

Node: TypeAlias = "tuple[str, int, int]"
"""Construct, line and column (in bytes) of a node of the user's file."""
Place: TypeAlias = "tuple[Node, tuple[Node | None, ...]]"
"""A construct, and those comparisons whose values this operator is given: one for each operand."""

_OPERATORS: Final = {"and_": "and", "or_": "or", "not_": "not", "if_exp": "conditional"}

TOLD: Final = frozenset(_OPERATORS.values())
"""The constructs that can be told apart."""


def column(code: CodeType, instruction: int) -> int | None:
    """Column in bytes of what a frame is at; None when Python does not tell."""
    if sys.version_info < (3, 11):
        return None
    positions = islice(code.co_positions(), instruction // 2, None)
    return next((start for _, _, start, _ in positions), None)


def place_of(operator: str, generated: tuple[str, int, int], original: tuple[str, int]) -> Place | None:
    """The construct that the operator at (generated file, line, column) stands for; None when that cannot be told.

    `original`: the file and line that the generated line comes from.
    """
    path, line, at = generated
    calls = _calls(path).get(line, ())
    kinds = [kind for _, kind in calls]
    statements = _statements(original[0]).get(original[1], ())
    fitting = [s for s in statements if [place[0][0] for place in s] == kinds]
    index = next((i for i, call in enumerate(calls) if call == (at, operator)), None)
    if index is None or len(fitting) != 1:
        return None
    return fitting[0][index]


def can_be_told(path: str, line: int, node: Node) -> bool:
    """Whether a construct is one of those of the statements that begin on a line."""
    return any(place[0] == node for statement in _statements(path).get(line, ()) for place in statement)


def given_to(path: str, line: int, node: Node) -> str | None:
    """The kind of construct, of those of the statements on a line, whose operator is given a comparison's value."""
    places = (place for statement in _statements(path).get(line, ()) for place in statement)
    return next((own[0] for own, operands in places if node in operands), None)


@lru_cache(maxsize=256)
def _calls(path: str) -> dict[int, list[tuple[int, str]]]:
    """(column, construct) of the operators in each line of a generated file, from left to right."""
    found: dict[int, list[tuple[int, str]]] = {}
    for node in ast.walk(tree(path)):
        function = node.func if isinstance(node, ast.Call) else None
        if not isinstance(function, ast.Attribute) or function.attr not in _OPERATORS:
            continue
        if isinstance(function.value, ast.Name) and function.value.id == "ag__":
            found.setdefault(function.lineno, []).append((function.col_offset, _OPERATORS[function.attr]))
    return {line: sorted(calls) for line, calls in found.items()}


@lru_cache(maxsize=64)
def _statements(path: str) -> dict[int, list[list[Place]]]:
    """For each line of a file the statements that begin there: their operators, as AutoGraph writes them."""
    found: dict[int, list[list[Place]]] = {}
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.stmt) and not isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            places = [place for part in head(node) for place in _places(part)]
            if places:
                found.setdefault(node.lineno, []).append(places)
    return found


def tree(path: str) -> ast.Module:
    """A file parsed; nothing in it when it is not Python."""
    try:
        return ast.parse("".join(linecache.getlines(path)))
    except (SyntaxError, ValueError, RecursionError):
        return ast.Module([], [])


def head(statement: ast.stmt) -> list[ast.AST]:
    """The parts of a statement that are no statements themselves."""
    return [
        child
        for child in ast.iter_child_nodes(statement)
        if not isinstance(child, (ast.stmt, ast.excepthandler))
    ]


def _places(node: Any) -> Iterator[Place]:
    """The operators that AutoGraph writes for an expression, from left to right."""
    if isinstance(node, ast.BoolOp):
        own = _node("and" if isinstance(node.op, ast.And) else "or", node)
        *values, last = node.values
        for value, after in zip(values, [*values[1:], last], strict=True):
            yield own, (_compared(value), _compared(after) if after is last else None)
            yield from _places(value)
        yield from _places(last)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield _node("not", node), (_compared(node.operand),)
        yield from _places(node.operand)
    elif isinstance(node, ast.IfExp):
        yield _node("conditional", node), (_compared(node.test),)
        for part in (node.test, node.body, node.orelse):
            # AutoGraph leaves a conditional in a conditional as it is
            yield from (place for place in _places(part) if place[0][0] != "conditional")
    else:
        for child in sorted(ast.iter_child_nodes(node), key=_position):
            yield from _places(child)


def _position(node: ast.AST) -> tuple[int, int]:
    """Where a node begins; what has no place of its own, where its first part does."""
    inner: tuple[Any, ...] = (node, *ast.walk(node))
    return next(((n.lineno, n.col_offset) for n in inner if hasattr(n, "lineno")), (0, 0))


def _node(what: str, node: Any) -> Node:
    return what, node.lineno, node.col_offset


def _compared(node: ast.AST) -> Node | None:
    return _node("comparison", node) if isinstance(node, ast.Compare) else None
