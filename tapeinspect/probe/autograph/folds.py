"""The stretches of generated source that only AutoGraph needs."""

from __future__ import annotations

import ast
from typing import Final

_PARTS: Final = {"get_state": "get_state", "set_state": "set_state", "extra_test": "declaration"}
Fold = tuple[int, int, str]


def folds(generated: str) -> list[Fold]:
    """(first line, last line, what) of each, in order, none inside another."""
    try:
        tree = ast.parse(generated)
    except (SyntaxError, ValueError, RecursionError):
        return []
    found: list[Fold] = []
    _visit(tree, found)
    return _joined(sorted(found))


def _visit(node: ast.AST, found: list[Fold]) -> None:
    for child in ast.iter_child_nodes(node):
        fold = _fold(child)
        if fold is not None:
            first = min([child.lineno, *(d.lineno for d in getattr(child, "decorator_list", []))])  # type: ignore[attr-defined]
            found.append((first, child.end_lineno or first, fold))  # type: ignore[attr-defined]
            continue
        if isinstance(child, ast.With) and _is_scope(child):
            found.append((child.lineno, child.lineno, "scope"))
        if isinstance(child, ast.Try) and _is_return(child):
            _fold_return(child, found)
            continue
        _visit(child, found)


def _fold(node: ast.AST) -> str | None:
    if isinstance(node, ast.FunctionDef):
        for prefix, what in _PARTS.items():
            if node.name == prefix or node.name.rstrip("_0123456789") == prefix:
                return what
        if node.name.startswith("else_body") and _is_empty(node):
            return "branch"
    if isinstance(node, (ast.Nonlocal, ast.Global)):
        return "declaration"
    if isinstance(node, ast.Assign):
        return _assigned(node)
    if isinstance(node, ast.Return) and node.value is not None and "fscope.ret(" in ast.unparse(node):
        return "return"
    return None


def _assigned(node: ast.Assign) -> str | None:
    text = ast.unparse(node.value)
    target = ast.unparse(node.targets[0])
    if text.startswith("ag__.Undefined("):
        return "undefined"
    if text.startswith("ag__.UndefinedReturnValue("):
        return "return"
    if target.startswith("do_return") and text in ("True", "False"):
        return "return"
    return None


def _is_scope(node: ast.With) -> bool:
    return "FunctionScope(" in ast.unparse(node.items[0].context_expr)


def _is_return(node: ast.Try) -> bool:
    return any(
        isinstance(stmt, ast.Assign) and ast.unparse(stmt.targets[0]).startswith("retval_")
        for stmt in node.body
    )


def _fold_return(node: ast.Try, found: list[Fold]) -> None:
    """`try:` … around the returned value: the value stays, what is around it goes."""
    value = node.body[-1]
    if value.lineno > node.lineno:
        found.append((node.lineno, value.lineno - 1, "return"))
    end, last = value.end_lineno or value.lineno, node.end_lineno or value.lineno
    if last > end:
        found.append((end + 1, last, "return"))


def _is_empty(node: ast.FunctionDef) -> bool:
    return all(isinstance(stmt, (ast.Pass, ast.Nonlocal, ast.Global)) for stmt in node.body)


def _joined(found: list[Fold]) -> list[Fold]:
    """Without those inside another, and neighbours of one kind as one."""
    result: list[Fold] = []
    for first, last, what in found:
        if result and first <= result[-1][1]:
            continue
        if result and result[-1][2] == what and first == result[-1][1] + 1:
            result[-1] = (result[-1][0], last, what)
        else:
            result.append((first, last, what))
    return result
