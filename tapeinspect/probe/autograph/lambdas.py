"""Which lambdas of the user's source were called while it was traced, where several share a line.

A generated line has a lambda of the user's as the argument of `autograph_artifact`, in the order of the statement that
it comes from; Python 3.11 and later tell which of them a code object is.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from functools import lru_cache
from types import CodeType
from typing import TypeAlias

from tapeinspect.probe.autograph.placing import head, tree
from tapeinspect.probe.autograph.watch import Seen

Span: TypeAlias = "tuple[tuple[int, int], tuple[int, int]]"
"""(line, column in bytes) where a lambda begins and ends."""


def uncalled(seen: Seen) -> dict[str, list[Span]]:
    """By file of the user's, the lambdas of converted functions that are known not to have been called."""
    called = {(code.co_filename, code.co_firstlineno, _body_column(code)) for code in seen.lambdas.values()}
    found: dict[str, list[Span]] = {}
    if sys.version_info < (3, 11):
        return found
    for path in seen.maps:
        for line, columns in _artifacts(path).items():
            place = seen.original(path, line)
            if place is None:
                continue
            fitting = [s for s in _of_statements(place[0]).get(place[1], ()) if len(s) == len(columns)]
            if len(fitting) == 1:
                found.setdefault(place[0], []).extend(
                    span
                    for span, column in zip(fitting[0], columns, strict=True)
                    if (path, line, column) not in called
                )
    return found


def _body_column(code: CodeType) -> int | None:
    """Where the expression of a lambda begins."""
    if sys.version_info < (3, 11):
        return None
    places = ((start, end) for _, _, start, end in code.co_positions() if start is not None)
    return min((start for start, end in places if (start, end) != (0, 0)), default=None)


@lru_cache(maxsize=256)
def _artifacts(path: str) -> dict[int, list[int]]:
    """Columns of the bodies of the user's lambdas in each line of a generated file, from left to right."""
    found: dict[int, list[int]] = {}
    for node in ast.walk(tree(path)):
        function = node.func if isinstance(node, ast.Call) else None
        if isinstance(function, ast.Attribute) and function.attr == "autograph_artifact":
            for argument in node.args[:1] if isinstance(node, ast.Call) else ():
                if isinstance(argument, ast.Lambda):
                    found.setdefault(argument.lineno, []).append(argument.body.col_offset)
    return {line: sorted(columns) for line, columns in found.items()}


@lru_cache(maxsize=64)
def _of_statements(path: str) -> dict[int, list[list[Span]]]:
    """For each line of a file the statements that begin there: their lambdas, from left to right."""
    found: dict[int, list[list[Span]]] = {}
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.stmt) and not isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            spans = sorted(span for part in head(node) for span in _spans(part))
            if spans:
                found.setdefault(node.lineno, []).append(spans)
    return found


def _spans(part: ast.AST) -> Iterator[Span]:
    for node in ast.walk(part):
        if isinstance(node, ast.Lambda):
            end = node.end_lineno or node.lineno, node.end_col_offset or 0
            yield (node.lineno, node.col_offset), end
