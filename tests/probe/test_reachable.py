"""Functions are found by their code, wherever the script has put them."""

from __future__ import annotations

import functools
import types
from collections.abc import Callable
from typing import Any

import pytest

from tapeinspect.probe import reachable


def _made() -> types.FunctionType:
    def made(x: Any) -> Any:
        return x

    return made


def _hidden(function: Callable[..., Any]) -> Callable[..., Any]:
    """A decorator that does not use `functools.wraps`."""

    def inner(*args: Any) -> Any:
        return function(*args)

    return inner


class _Slotted:
    __slots__ = ("__private", "held")

    def __init__(self, held: Any, private: Any = None) -> None:
        self.held = held
        self.__private = private


class _Plain:
    def __init__(self, held: Any) -> None:
        self.held = held

    def __getattr__(self, name: str) -> Any:
        raise AssertionError("code of the script's ran")


def _generator(held: Any) -> Any:
    yield held


def _started(held: Any) -> Any:
    generator = _generator(held)
    next(generator)
    return generator


def _class_with(function: Any) -> type:
    return type("Holder", (), {"step": function})


WAYS: dict[str, Callable[[Any], Any]] = {
    "itself": lambda f: f,
    "in a list of dicts": lambda f: [{"a": (f,)}],
    "an attribute": _Plain,
    "a slot": _Slotted,
    "a private slot": lambda f: _Slotted(None, f),
    "a bound method": lambda f: types.MethodType(f, 3),
    "a method of a class": _class_with,
    "a method of an object's class": lambda f: _class_with(f)(),
    "a method of a base": lambda f: type("Child", (_class_with(f),), {}),
    "a property": lambda f: _class_with(property(f)),
    "a static method": lambda f: _class_with(staticmethod(f)),
    "a class method": lambda f: _class_with(classmethod(f)),
    "a partial": lambda f: functools.partial(f, 1),
    "a partial's argument": lambda f: functools.partial(print, f),
    "a keyword's default": lambda f: _with_default(f),
    "behind a decorator without wraps": _hidden,
    "behind a cache": functools.lru_cache,
    "what a generator holds": _started,
    "whose method is held": lambda f: [f].append,
}


def _with_default(function: Any) -> Callable[..., Any]:
    def outer(*, call: Any = function) -> Any:
        return call

    return outer


@pytest.mark.parametrize("way", list(WAYS))
def test_found(way: str) -> None:
    held = WAYS[way](_made())
    code = next(c for c in _made.__code__.co_consts if isinstance(c, types.CodeType))
    found = [f for f in reachable.objects([held]) if isinstance(f, types.FunctionType) and f.__code__ is code]
    assert len(found) == 1


def test_all_that_one_def_made_are_found_and_the_roots_come_first() -> None:
    first, second = _made(), _made()
    found = list(reachable.functions_of(first.__code__, [second], lambda path: "library"))
    assert found[0] is second
    here = list(
        reachable.functions_of(
            first.__code__, [], lambda path: "user" if path.endswith("test_reachable.py") else "library"
        )
    )
    assert {id(f) for f in here} == {id(first), id(second)}


def test_what_cannot_be_looked_into_is_passed_by() -> None:
    class Bad(list[Any]):
        @property
        def __dict__(self) -> Any:  # type: ignore[override]
            raise RuntimeError("no")

    function = _made()
    assert function in list(reachable.objects([Bad([1]), [Bad([function])]]))
