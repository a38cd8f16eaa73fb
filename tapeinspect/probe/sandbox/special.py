"""The state of what is no plain object: random number generators, iterators, files."""

from __future__ import annotations

import itertools
import random
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from tapeinspect.probe import tf_iterators
from tapeinspect.probe.sandbox.saved import Saved, SavedState


@dataclass(frozen=True, slots=True)
class Fixed:
    """Something that cannot be put back."""

    path: str
    what: str
    """"generator", "socket", …"""
    consumed: bool
    """Running the step again uses it up: a batch taken from a generator is gone."""
    value: Any = None
    """The iterator itself, where it is one."""


class HandsOut:
    """An iterator of ours in the place of one of the script's: it is set back before each call, and not saved."""


def generator(path: str, value: Any) -> Saved | None:
    """The state of a generator of random numbers, None when it is none."""
    import numpy as np

    if isinstance(value, np.random.Generator):
        bits = value.bit_generator
        return SavedState(path, None, False, lambda: bits.state, lambda state: setattr(bits, "state", state))
    if isinstance(value, np.random.RandomState):
        return SavedState(path, None, False, value.get_state, value.set_state)
    if isinstance(value, random.Random):
        return SavedState(path, None, False, value.getstate, value.setstate)
    return None


def iterator(path: str, value: Any) -> Saved | Fixed | None:
    """The state of an iterator: one over a list or a range tells where it is, others are used up."""
    if isinstance(value, HandsOut) or tf_iterators.hands_out(value):
        return None
    if hasattr(value, "__setstate__") and type(value).__module__ == "builtins":
        if not value.__reduce__()[2:]:
            return None  # exhausted
        read = lambda: (value.__reduce__()[2:] or (None,))[0]  # noqa: E731
        return SavedState(path, value, False, read, value.__setstate__, "python")
    name = type(value).__name__
    what = "iterator of a tf.data.Dataset" if name == "OwnedIterator" else f"iterator ({name})"
    return Fixed(path, "itertools.count" if isinstance(value, itertools.count) else what, True, value)


def file(path: str, value: Any) -> Saved | Fixed:
    """The state of an open file: one that is only written to is cut off where it ended."""
    with suppress(OSError, ValueError):
        if value.seekable() and value.writable():
            read, write = (lambda: _position(value)), (lambda at: _cut(value, at))
            return SavedState(
                path, value, False, read, write, "file", lambda at: f"{at:,} bytes", "written to"
            )
        if value.seekable():
            return SavedState(path, value, False, value.tell, lambda at: _seek(value, at), "file", str)
    return Fixed(path, "file that cannot be rewound", False)


def _position(file: Any) -> int:
    file.flush()
    return int(file.tell())


def _seek(file: Any, at: int) -> None:
    file.seek(at)


def _cut(file: Any, at: int) -> None:
    file.flush()
    file.seek(at)
    file.truncate()
