"""Finds a function by the name a user gives it: `train_step`, `Trainer.step`, `outer.inner`."""

from __future__ import annotations

import ast
import difflib
import inspect
import linecache
from collections.abc import Iterator
from types import FunctionType, ModuleType
from typing import Any

from tapeinspect.probe import tf_autograph
from tapeinspect.probe.errands import WorkRefused
from tapeinspect.probe.step_function import StepFunction, unwrap


def find(module: ModuleType, name: str) -> StepFunction:
    """The function of this name in a module, to be looked at rather than run. Raises WorkRefused."""
    value: Any = module
    for part in name.split("."):
        value = _member(value, part)
        if value is None:
            raise WorkRefused(f"there is no function {name!r} in {_file(module)}", _suggest(module, name))
    function = _function(value, name, module)
    note, hint = _note(value, function, name)
    return StepFunction(0, function, (), {}, function.__code__, False, note, hint)


def _member(owner: Any, name: str) -> Any:
    try:
        return inspect.getattr_static(owner, name)
    except AttributeError:
        return getattr(owner, name, None) if isinstance(owner, ModuleType) else None


def _function(value: Any, name: str, module: ModuleType) -> FunctionType:
    if isinstance(value, type):
        members = [key for key, member in vars(value).items() if unwrap(member) and not key.startswith("__")]
        example = members[0] if members else "method"
        raise WorkRefused(f"{name} is a class, not a function", f"name a method of it: {name}.{example}")
    found = unwrap(value)
    if found is None and not isinstance(value, type) and hasattr(type(value), "__call__"):  # noqa: B004
        found = unwrap(type(value).__call__)
    if found is None:
        kind = type(value).__name__
        raise WorkRefused(f"{name} is a {kind}, not a Python function", _suggest(module, name))
    return found


def _note(value: Any, function: FunctionType, name: str) -> tuple[str, str]:
    """What a decorator hides, and that nothing was run."""
    code = tf_autograph.code_of(value)
    plain = name.rpartition(".")[2]
    if code is function.__code__ and function.__name__ not in (plain, "<lambda>"):
        return (
            f"{name} is {function.__qualname__}: a decorator put that in its place without functools.wraps",
            "decorate the decorator's inner function with functools.wraps, so that what it hides can be found",
        )
    return "", ""


def _suggest(module: ModuleType, name: str) -> str:
    known = list(_known(module))
    nested = [found for found in _nested(module) if found.rpartition(".")[2] == name.rpartition(".")[2]]
    if nested and name in (nested[0], nested[0].rpartition(".")[2]) and name not in known:
        outer = nested[0].rpartition(".")[0]
        return f"{nested[0]} exists only while {outer} runs: name that one"
    close = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
    close = close or [found for found in known if found.rpartition(".")[2] == name.rpartition(".")[2]][:3]
    if close:
        return f"did you mean {' or '.join(close)}?"
    return f"there are: {', '.join(known[:8])}" if known else "it defines no function"


def _known(module: ModuleType) -> Iterator[str]:
    """Functions of a module and methods of its classes, those it imported left out."""
    for key, value in list(vars(module).items()):
        if key.startswith("__") or getattr(value, "__module__", module.__name__) != module.__name__:
            continue
        if isinstance(value, type):
            yield from (f"{key}.{inner}" for inner, member in vars(value).items() if unwrap(member))
        elif not isinstance(value, ModuleType) and unwrap(value) is not None:
            yield key


def _nested(module: ModuleType) -> Iterator[str]:
    path = getattr(module, "__file__", None)
    try:
        tree = ast.parse("".join(linecache.getlines(path or "")))
    except SyntaxError:
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            for child in ast.walk(node):
                if isinstance(child, ast.FunctionDef) and child is not node:
                    yield f"{node.name}.{child.name}"


def _file(module: ModuleType) -> str:
    import os

    path = getattr(module, "__file__", None)
    return os.path.basename(path) if path else module.__name__
