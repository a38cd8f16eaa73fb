"""What can be reached from objects of the script's: the functions that run some code, and all that was there before.

Python's garbage collector knows all objects, but it must not be asked: while the script stands within TensorFlow's C++
code, some that it knows are not whole, or are being taken down, and to take hold of those ends the process.
"""

from __future__ import annotations

import functools
import sys
import types
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from types import CellType, CodeType, FrameType, FunctionType, MethodType, ModuleType
from typing import Any, Final

from tapeinspect.probe.frames import locals_of
from tapeinspect.probe.introspect import dict_of, slots

_MOST: Final = 300_000
"""Objects that are looked at."""
_ATOMS: Final = frozenset(
    {bool, int, float, complex, str, bytes, type(None), CodeType, range, slice, ModuleType, FrameType}
)
_CONTAINERS: Final = (list, tuple, set, frozenset, deque)
_CLOSED: Final = (
    "tensorflow.python.framework.",
    "tensorflow.python.eager.context",
    "tensorflow.python.client.",
    "tensorflow.core.",
    "tensorflow.python._",
    "numpy",
    "google.",
    "tapeinspect",
)
"""Where classes come from whose objects hold nothing of the script's, or whole graphs."""
_WRAPPERS: Final[dict[type, tuple[str, ...]]] = {
    MethodType: ("__func__", "__self__"),
    types.BuiltinMethodType: ("__self__",),
    staticmethod: ("__func__",),
    classmethod: ("__func__",),
    property: ("fget", "fset", "fdel"),
    functools.partial: ("func", "args", "keywords"),
    functools.partialmethod: ("func",),
    functools._lru_cache_wrapper: ("__wrapped__",),
}


def objects(roots: Iterable[Any]) -> Iterator[Any]:
    """Everything that can be reached, nearest first; no code of any object runs. The roots come first."""
    seen: dict[int, Any] = {}
    pending: deque[Any] = deque(roots)
    while pending and len(seen) < _MOST:
        value = pending.popleft()
        if type(value) in _ATOMS or id(value) in seen:
            continue
        seen[id(value)] = value  # which keeps the id its own
        yield value
        with suppress(Exception):  # an object that cannot be looked into is passed by
            pending.extend(_inside(value))


def script_roots(role: Callable[[str], str]) -> Iterator[Any]:
    """Where the script's objects are: what its running functions call by a name, and the names of its modules."""
    for frame in _frames(role):
        yield locals_of(frame)
        yield frame.f_globals
    for module in list(sys.modules.values()):
        file = getattr(module, "__file__", None) if type(module) is ModuleType else None
        if isinstance(file, str) and role(file) == "user":
            yield vars(module)


def functions_of(code: CodeType, roots: Iterable[Any], role: Callable[[str], str]) -> Iterator[FunctionType]:
    """The functions that run this code: those near `roots` first, then those anywhere in the script."""
    for value in objects([*roots, *script_roots(role)]):
        if type(value) is FunctionType and value.__code__ is code:
            yield value


def _frames(role: Callable[[str], str]) -> Iterator[FrameType]:
    """The script's frames: of this thread, innermost first, then of the others."""
    here = sys._getframe()
    for start in (here, *(frame for frame in sys._current_frames().values() if frame is not here)):
        frame: FrameType | None = start
        while frame is not None:
            if role(frame.f_code.co_filename) != "library":
                yield frame
            frame = frame.f_back


def _inside(value: Any) -> Iterable[Any]:
    """What an object holds."""
    kind = type(value)
    if kind is dict:
        return list(value.values())
    if issubclass(kind, _CONTAINERS):
        return _items(value, kind)
    if kind is FunctionType:
        defaults = value.__kwdefaults__
        return (*(value.__closure__ or ()), value.__dict__, value.__defaults__, defaults)
    if kind is CellType:
        try:
            return (value.cell_contents,)
        except ValueError:  # bound later
            return ()
    if kind in _WRAPPERS:
        return [getattr(value, name, None) for name in _WRAPPERS[kind]]
    if issubclass(kind, type):
        return _of_class(value)
    return _of_object(value, kind)


def _items(value: Any, kind: type) -> list[Any]:
    base: Any = next(base for base in _CONTAINERS if issubclass(kind, base))
    held = list(base.__iter__(value))
    return held if kind is base else [*held, *_of_object(value, kind)]


def _of_class(cls: type) -> list[Any]:
    if cls.__module__.startswith(_CLOSED) or cls.__module__ == "builtins":
        return []
    return [*vars(cls).values(), *cls.__bases__]


def _of_object(value: Any, kind: type) -> list[Any]:
    module = kind.__module__
    if not isinstance(module, str) or module.startswith(_CLOSED):
        return []
    held: list[Any] = [kind]
    attributes = dict_of(value)
    if attributes is not None:
        held.append(attributes)
    if issubclass(kind, dict):
        held += list(dict.values(value))
    held += [_slot(value, kind, name) for name in slots(kind)]
    if isinstance(value, types.GeneratorType) and value.gi_frame is not None and not value.gi_running:
        held.append(locals_of(value.gi_frame))
    if module == "wrapt" or module.startswith("wrapt."):
        held.append(getattr(value, "__wrapped__", None))
    return held


def _slot(value: Any, kind: type, name: str) -> Any:
    """What is in a slot; None when it is empty."""
    for base in kind.__mro__:
        found = vars(base).get(name)
        if type(found) is types.MemberDescriptorType:
            try:
                return found.__get__(value, kind)
            except AttributeError:
                return None
    return None
