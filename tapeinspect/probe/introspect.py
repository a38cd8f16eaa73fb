"""Looking at objects and code without running any of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from types import CodeType
from typing import Any


def names_in(code: CodeType) -> Iterator[str]:
    """The global names that code uses, that of functions within it included."""
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from names_in(constant)


def dunder(key: Any) -> bool:
    """Whether a name is one of Python's own."""
    return isinstance(key, str) and key.startswith("__") and key.endswith("__")


def dict_of(value: Any) -> Any:
    """The attributes of an object as the dict they are in, None when it has none; no code of its class runs."""
    with suppress(Exception):
        found = object.__getattribute__(value, "__dict__")
        if type(found) is dict:
            return found
    return None


def slots(cls: type) -> tuple[str, ...]:
    """The names of the slots of a class, private ones as they are outside of it."""
    found: list[str] = []
    for base in cls.__mro__:
        names = vars(base).get("__slots__", ())
        names = [names] if isinstance(names, str) else list(names)
        own = f"_{base.__name__.lstrip('_')}"
        found += [own + n if n.startswith("__") and not n.endswith("__") else n for n in names]
    return tuple(n for n in found if n not in ("__dict__", "__weakref__"))


def as_written(cls: type, name: str) -> str:
    """The name of an attribute as the code of its class has it, which for a private one begins with `__`."""
    for base in cls.__mro__:
        private = f"_{base.__name__.lstrip('_')}__"
        if name.startswith(private) and not name.endswith("__"):
            return name[len(private) - 2 :]
    return name


def of_class(cls: Any, name: str) -> Any:
    """An attribute of a class itself. Raises AttributeError."""
    try:
        return vars(cls)[name]
    except KeyError:
        raise AttributeError(name) from None


def keras_path(value: Any) -> str | None:
    """What Keras calls a variable, None for anything else."""
    path = (dict_of(value) or {}).get("_path")
    return path if isinstance(path, str) and path else None
