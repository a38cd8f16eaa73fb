"""What a store binds: how to look at it, whether it changed, and what to call it. No code of the user's runs."""

from __future__ import annotations

import ast
from collections import deque
from collections.abc import Callable
from typing import Any

from tapeinspect.probe import tf_survey
from tapeinspect.probe.survival import calls as survival_calls
from tapeinspect.probe.survival.code import Store

_KEPT = (bool, int, float, complex, str, bytes, type(None))
_COPIED = 2000
"""Entries of a container that are remembered to see what became of them."""


def is_numpys(function: Any) -> bool:
    """Whether a function is one of NumPy's."""
    module = getattr(function, "__module__", None) or type(function).__module__
    return str(module).split(".")[0] == "numpy"


def is_print(call: ast.Call) -> bool:
    """AutoGraph leaves a call of print alone."""
    return isinstance(call.func, ast.Name) and call.func.id == "print"


def _item(base: Any, key: Any) -> Any:
    try:
        return base[key] if isinstance(base, list) or key in base else "<not there>"
    except (IndexError, TypeError):
        return "<not there>"


def value_reader(
    store: Store, base: Any, key: Any, frame: Any, globals_: dict[str, Any]
) -> Callable[[], Any] | None:
    """What tells the present value of what a store binds; None when that cannot be told."""
    if store.kind == "attribute":
        if not hasattr(base, "__dict__"):
            return None
        return lambda: getattr(base, "__dict__", {}).get(store.name, "<not there>")
    if store.kind == "global":
        return lambda: globals_.get(store.name, "<not there>")
    if store.kind == "nonlocal":
        return constant(frame.f_locals.get(store.name, "<not there>"))
    if (isinstance(base, dict) and isinstance(key, (str, int))) or (
        isinstance(base, list) and type(key) is int
    ):
        return lambda: _item(base, key)
    known = isinstance(base, survival_calls.CONTAINERS) or type(base).__name__ == "ndarray"
    return (lambda: base) if known else None


def freezes(value: Any) -> bool:
    """Whether a value becomes a constant of the graph when it is used: a number, or an array."""
    number = isinstance(value, (int, float, complex)) and not isinstance(value, bool)
    return number or type(value).__name__ == "ndarray"


def constant(value: Any) -> Callable[[], Any]:
    """A function that gives this value."""
    return lambda: value


def copied(value: Any) -> Any:
    """A copy of a container, unless it is very long."""
    try:
        return value.copy() if len(value) <= _COPIED or type(value).__name__ == "ndarray" else value
    except TypeError:
        return value


def equal(before: Any, after: Any) -> bool:
    """Whether two values are the same as far as that can be told with no code of the user's run."""
    if isinstance(before, _KEPT) and isinstance(after, _KEPT):
        return type(before) is type(after) and (before == after or before != before)
    if type(before) is not type(after):
        return False
    if isinstance(before, dict):
        return before.keys() == after.keys() and all(_same(before[k], after[k]) for k in before)
    if isinstance(before, (list, tuple, deque)):
        return len(before) == len(after) and all(map(_same, before, after))
    if type(before).__name__ == "ndarray":
        return bool(before.shape == after.shape) and bool(before.tobytes() == after.tobytes())
    return False


def _same(a: Any, b: Any) -> bool:
    return a is b or (isinstance(a, _KEPT) and isinstance(b, _KEPT) and a == b)


def in_words(value: Any) -> str:
    """A value, for people."""
    if isinstance(value, str) and value == "<not there>":
        return "nothing"
    if isinstance(value, _KEPT):
        text = repr(value)
        return text if len(text) <= 40 else text[:39] + "…"
    if tf_survey.is_symbolic(value):
        return "a tensor of the graph"
    if isinstance(value, (list, tuple, dict, set)):
        return f"{type(value).__name__} of {len(value)}"
    return f"{type(value).__name__} object"
