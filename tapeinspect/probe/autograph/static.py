"""The functions that a function calls, told from its source and its names alone: for what a trace did not reach."""

from __future__ import annotations

import ast
import builtins
import inspect
import linecache
from collections.abc import Iterator
from types import FunctionType, MethodType, ModuleType
from typing import Any

from tapeinspect.probe import tf_autograph
from tapeinspect.probe.autograph.source import source_of

_UNKNOWN: Any = object()


def callees(function: Any) -> Iterator[tuple[Any, int]]:
    """(callable, line) of each call in a function whose callee is known without running anything."""
    source = source_of(function)
    if source is None or source.node is None:
        return
    names = _names(function)
    local = _bound_inside(source.node)
    for node in ast.walk(source.node):
        if isinstance(node, ast.Call):
            found = _resolve(node.func, names, local)
            if found is not _UNKNOWN and callable(found):
                yield found, node.lineno


def called_in_lines(path: str, lines: range, names: dict[str, Any]) -> Iterator[Any]:
    """The callables that statements at these lines of a module call, as far as they are known by name."""
    tree = ast.parse("".join(linecache.getlines(path)))
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and node.lineno in lines:
            found = _resolve(node.func, names, set())
            if found is not _UNKNOWN and callable(found):
                yield found


def _names(function: Any) -> dict[str, Any]:
    """What the names that a function uses stand for."""
    plain = getattr(function, "__func__", function)
    names = {**vars(builtins), **getattr(plain, "__globals__", {})}
    code = tf_autograph.code_of(function)
    for name, cell in zip(
        code.co_freevars if code else (), getattr(plain, "__closure__", None) or (), strict=False
    ):
        try:
            names[name] = cell.cell_contents
        except ValueError:
            continue
    if isinstance(function, MethodType) and code is not None and code.co_argcount:
        names[code.co_varnames[0]] = function.__self__
    return names


def _bound_inside(node: Any) -> set[str]:
    """Names that the function itself gives values: they are known only when it runs."""
    found = {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    found |= {
        n.name for n in ast.walk(node) if isinstance(n, (ast.FunctionDef, ast.ClassDef)) and n is not node
    }
    arguments = [a.arg for a in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)]
    return found | {name for name in arguments if name not in ("self", "cls")}


def _resolve(node: ast.expr, names: dict[str, Any], local: set[str]) -> Any:
    if isinstance(node, ast.Name):
        return _UNKNOWN if node.id in local else names.get(node.id, _UNKNOWN)
    if isinstance(node, ast.Attribute):
        owner = _resolve(node.value, names, local)
        return _UNKNOWN if owner is _UNKNOWN else _attribute(owner, node.attr)
    return _UNKNOWN


def _attribute(owner: Any, name: str) -> Any:
    """An attribute, as long as getting it runs nothing of the user's."""
    if isinstance(owner, ModuleType):
        return vars(owner).get(name) if name in vars(owner) else getattr(owner, name, _UNKNOWN)
    try:
        found = inspect.getattr_static(owner, name)
    except AttributeError:
        return _UNKNOWN
    if isinstance(found, FunctionType):
        return found if isinstance(owner, type) else found.__get__(owner)
    if isinstance(found, (staticmethod, classmethod)):
        return found.__get__(
            owner if not isinstance(owner, type) else None, owner if isinstance(owner, type) else None
        )
    return _UNKNOWN if isinstance(found, property) or hasattr(type(found), "__get__") else found
