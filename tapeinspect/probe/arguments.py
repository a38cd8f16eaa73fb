"""What a step was called with: captured by reference, described for the trace."""

from __future__ import annotations

import dis
import inspect
import math
from dataclasses import dataclass, field
from types import CodeType, FrameType
from typing import Any
from weakref import ref

from tapeinspect.probe import introspect, tf_private
from tapeinspect.probe.frames import locals_of

VARARGS, VARKEYWORDS = inspect.CO_VARARGS, inspect.CO_VARKEYWORDS
_LIMIT = 120
_PLAIN = (bool, int, float, complex, str, bytes, type(None))
_STORES = ("STORE_FAST", "STORE_DEREF", "STORE_NAME", "DELETE_FAST")


@dataclass(frozen=True, slots=True)
class Captured:
    """The arguments of a call."""

    values: dict[str, Any]
    rebound: frozenset[str]
    """Names the function may have bound anew before they were looked at."""
    free: dict[str, int] = field(default_factory=dict)
    """Ids of what the outer variables that it uses hold: they tell it from others of the same `def`."""


def capture(frame: FrameType) -> Captured:
    """The arguments that a frame was called with."""
    code = frame.f_code
    names = argument_names(code)
    values: dict[str, Any] = {}
    local = locals_of(frame)
    for name in names:
        if name in local:
            values[name] = local[name]
    free = {name: id(local[name]) for name in code.co_freevars if name in local}
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
    """The arguments, so that the step can be run again; `given` turns them back.

    Tensors, their types and plain values are kept, arrays copied since the script may change them, if `budget` bytes
    allow. Any other object is the script's, to live or die as without us: of it, there is a weak reference.
    """
    return {name: _keep(value, budget) for name, value in captured.values.items()}


def given(kept: dict[str, Any]) -> dict[str, Any]:
    """The arguments that `keep` was given. Raises LookupError, with a name and why, when one of them is not there."""
    return {name: _given(name, value) for name, value in kept.items()}


@dataclass(frozen=True, slots=True)
class _Weak:
    """An object of the script's."""

    target: ref[Any] | None
    """None: there is none."""
    why: str = "is no more: the script has dropped it"
    """That the object is not there, behind its name."""


def _keep(value: Any, budget: int) -> Any:
    kind = type(value)
    if kind in (list, tuple):
        return kind([_keep(item, budget) for item in value])
    if issubclass(kind, tuple) and hasattr(kind, "_make"):
        return kind._make([_keep(item, budget) for item in value])
    if kind is dict:
        return {key: _keep(item, budget) for key, item in value.items()}
    if kind.__module__ == "numpy" and hasattr(value, "nbytes"):
        return value.copy() if value.nbytes <= budget else _Weak(None, "is too large to be kept")
    if isinstance(value, _PLAIN) or tf_private.is_tensor_value(value):
        return value
    try:
        return _Weak(ref(value))
    except TypeError:
        advice = ": add '__weakref__' to its __slots__" if introspect.slots(kind) else ""
        return _Weak(None, f"cannot be kept, as {kind.__name__} has no weak references{advice}")


def _given(name: str, kept: Any) -> Any:
    kind = type(kept)
    if kind in (list, tuple):
        return kind([_given(name, item) for item in kept])
    if issubclass(kind, tuple) and hasattr(kind, "_make"):
        return kind._make([_given(name, item) for item in kept])
    if kind is dict:
        return {key: _given(name, item) for key, item in kept.items()}
    if kind is not _Weak:
        return kept
    value = kept.target() if kept.target is not None else None
    if value is None:
        raise LookupError(name, kept.why)
    return value


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


def argument_names(code: CodeType) -> tuple[str, ...]:
    """The parameters of a function, in the order its frame has them."""
    found = _names.get(code)
    if found is None:
        count = code.co_argcount + code.co_kwonlyargcount
        count += bool(code.co_flags & VARARGS) + bool(code.co_flags & VARKEYWORDS)
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
