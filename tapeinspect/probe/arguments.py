"""What a step was called with: captured by reference, described for the trace."""

from __future__ import annotations

import dis
import inspect
import math
import sys
from dataclasses import dataclass
from types import CodeType, FrameType
from typing import Any

_LIMIT = 120
_STORES = ("STORE_FAST", "STORE_DEREF", "STORE_NAME", "DELETE_FAST")
_OPTIMIZED = inspect.CO_OPTIMIZED | inspect.CO_NEWLOCALS


@dataclass(frozen=True, slots=True)
class Captured:
    """The arguments of a call, or the names that a turn of a loop sees."""

    values: dict[str, Any]
    rebound: frozenset[str]
    """Names the function may have bound anew before they were looked at."""
    free: dict[str, Any]
    """The variables of enclosing functions that it uses: they tell it from others made by the same `def`."""


def capture(frame: FrameType, turn: bool) -> Captured:
    """The arguments that a frame was called with; nothing for the turn of a loop."""
    if turn:
        return Captured({}, frozenset(), {})
    code = frame.f_code
    names = _argument_names(code)
    values: dict[str, Any] = {}
    local = frame.f_locals
    for name in names:
        if name in local:
            values[name] = local[name]
    free = {name: local[name] for name in code.co_freevars if name in local}
    if sys.version_info < (3, 13) and code.co_flags & _OPTIMIZED == _OPTIMIZED:
        local.clear()  # the snapshot would keep every local alive until the function returns
    return Captured(values, _rebound(code, frame.f_lasti, names), free)


def describe(captured: Captured, with_values: bool) -> list[dict[str, Any]]:
    """The arguments as `records.Argument` has them, for the trace; Python values as their type when asked."""
    described = []
    for name, value in captured.values.items():
        about = _describe(value)
        if not with_values and about["kind"] in ("python", "structure"):
            about["text"] = type(value).__name__
        described.append({"name": name, "exact": name not in captured.rebound, **about})
    return described


def keep(captured: Captured, budget: int) -> dict[str, Any]:
    """The arguments, so that the step can be run again: arrays are copied since the script may change them."""
    kept = {}
    for name, value in captured.values.items():
        if type(value).__module__ == "numpy" and getattr(value, "nbytes", 0) <= budget:
            value = value.copy()
        kept[name] = value
    return kept


def size(kept: dict[str, Any]) -> int:
    """Bytes of the arrays and tensors among kept arguments, as far as they lie in tuples, lists and dicts."""
    total = 0
    pending = list(kept.values())
    while pending:
        value = pending.pop()
        if type(value) in (list, tuple):
            pending += value[:1000]
        elif type(value) is dict:
            pending += list(value.values())[:1000]
        elif type(value).__module__ == "numpy":
            total += int(getattr(value, "nbytes", 0))
        elif hasattr(value, "_id"):
            spec = _spec(value) or ["", []]
            item = getattr(getattr(value, "dtype", None), "size", 4) or 4
            total += math.prod(d or 1 for d in spec[1]) * item
    return total


_names: dict[CodeType, tuple[str, ...]] = {}
_stores: dict[CodeType, tuple[tuple[int, str], ...]] = {}


def _argument_names(code: CodeType) -> tuple[str, ...]:
    found = _names.get(code)
    if found is None:
        count = code.co_argcount + code.co_kwonlyargcount
        count += bool(code.co_flags & inspect.CO_VARARGS) + bool(code.co_flags & inspect.CO_VARKEYWORDS)
        found = _names[code] = code.co_varnames[:count]
    return found


def _rebound(code: CodeType, lasti: int, names: tuple[str, ...]) -> frozenset[str]:
    """The arguments that an instruction before `lasti` may have bound anew."""
    found = _stores.get(code)
    if found is None:
        found = _stores[code] = tuple(
            (instruction.offset, str(instruction.argval))
            for instruction in dis.get_instructions(code)
            if instruction.opname in _STORES
        )
    return frozenset(name for offset, name in found if offset < lasti and name in names)


def _describe(value: Any) -> dict[str, Any]:
    spec = _spec(value)
    if hasattr(value, "assign") and spec:
        return {"kind": "variable", "text": _spec_text("Variable", spec), "spec": spec}
    if spec and hasattr(value, "_id"):
        return {"kind": "tensor", "text": _spec_text("Tensor", spec), "spec": spec, "tensor": value._id}
    if type(value).__module__ == "numpy" and spec:
        return {"kind": "array", "text": _spec_text("array", spec), "spec": spec}
    if isinstance(value, (bool, int, float, complex, str, bytes, type(None))):
        return {"kind": "python", "text": _cut(repr(value))}
    if isinstance(value, (list, tuple)) and type(value) in (list, tuple):
        inner = ", ".join(_describe(v)["text"] for v in value[:6])
        return {"kind": "structure", "text": _cut(f"{type(value).__name__} of {len(value)}: {inner}")}
    if type(value) is dict:
        inner = ", ".join(f"{k!s}: {_describe(v)['text']}" for k, v in list(value.items())[:6])
        return {"kind": "structure", "text": _cut(f"dict of {len(value)}: {inner}")}
    name = getattr(value, "name", None) or getattr(value, "__name__", None)
    what = f"{type(value).__name__} {name}" if isinstance(name, str) else type(value).__name__
    return {"kind": "python", "text": _cut(what)}


def _spec(value: Any) -> list[Any] | None:
    """[dtype, shape], None for what has neither."""
    try:
        dtype = value.dtype
        shape = value.shape
        dims = shape.as_list() if hasattr(shape, "as_list") else list(shape)
        return [getattr(dtype, "name", None) or str(dtype), [None if d is None else int(d) for d in dims]]
    except Exception:  # any object may come as an argument; most have no dtype or shape
        return None


def _spec_text(what: str, spec: list[Any] | None) -> str:
    dtype, shape = spec or ("?", [])
    return f"{what}({', '.join('?' if d is None else str(d) for d in shape)}) {dtype}"


def _cut(text: str) -> str:
    return text if len(text) <= _LIMIT else text[: _LIMIT - 1] + "…"
