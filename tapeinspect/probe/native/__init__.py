"""The common case of the op callback in C, where a compiler was at hand when tapeinspect was installed.

Without it everything is recorded just the same, by Python, at a higher cost.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tapeinspect import compiled

_module = compiled.load("tapeinspect.probe.native._callback")


def available() -> bool:
    """Whether the C code is there and in use."""
    return _module is not None


def cursor() -> Any:
    """A cursor that the C code can use; None without it."""
    return None if _module is None else _module.Cursor()


def callback(otherwise: Callable[..., None], **parts: Any) -> Callable[..., None]:
    """The op callback that has C code for the common case; `otherwise` without it.

    parts: the names of `_callback.c`.
    """
    if _module is None:
        return otherwise
    try:
        made: Callable[..., None] = _module.Callback(**parts)
    except (
        TypeError,
        RuntimeError,
        AttributeError,
    ):  # a clock, a Python or a TensorFlow that it was not made for
        return otherwise
    return made
