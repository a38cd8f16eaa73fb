"""Frames of the script: followed while they run, and looked into, without keeping alive what they hold."""

from __future__ import annotations

import inspect
import sys
import time
from types import FrameType
from typing import Any
from weakref import ref

_OPTIMIZED = inspect.CO_OPTIMIZED | inspect.CO_NEWLOCALS
_NOBODY_ELSE = 3
"""References to the snapshot of a frame's locals when the script has none: the frame's, ours, the count's own."""


class RunningFrame:
    """A frame that runs, known by its address. What its locals hold dies when it returns, as without us.

    A frame has no weak references, so something that has hangs on it, as its trace function, which Python calls only
    in a program that is being traced. Python keeps one frame object for each call until the call returns, so the
    address stands for the call that long.
    """

    __slots__ = ("_kept", "_mark", "arguments", "key", "returned_ns")

    def __init__(self) -> None:
        self.key = 0
        """The `id` of the frame; 0 when none is followed, or when it has returned."""
        self.returned_ns = 0
        """When it returned, by `time.perf_counter_ns`; 0 before."""
        self.arguments: Any = None
        """What it was called with, as long as it runs."""
        self._mark: ref[_Mark] | None = None
        self._kept: FrameType | None = None

    def follow(self, frame: FrameType) -> None:
        """Follow this frame instead."""
        self.stop()
        self.key = id(frame)
        mark: Any = frame.f_trace
        if mark is None and sys.gettrace() is None:
            mark = frame.f_trace = _Mark()
        if type(mark) is _Mark:
            self._mark = ref(mark, self._gone)
        else:  # a debugger is at work in it
            self._kept = frame

    def stop(self) -> None:
        """Follow no frame."""
        self.key = self.returned_ns = 0
        self.arguments = self._mark = self._kept = None

    def find(self, innermost: FrameType | None) -> FrameType | None:
        """The frame, when it is on the stack that begins with `innermost`."""
        frame = innermost
        while frame is not None:
            if id(frame) == self.key:
                return frame
            frame = frame.f_back
        return None

    def _gone(self, mark: ref[_Mark]) -> None:
        if mark is self._mark:
            self._mark = None
            self._kept = self.find(
                sys._getframe().f_back
            )  # found: a debugger has put its own trace function there
            if self._kept is None:
                self.stop()
                self.returned_ns = time.perf_counter_ns()


class _Mark:
    """Hangs on a frame, and is gone with it."""

    __slots__ = ("__weakref__",)

    def __call__(self, frame: FrameType, event: str, argument: Any) -> _Mark:
        return self


def locals_of(frame: FrameType) -> dict[str, Any]:
    """The local names of a frame and what they are bound to."""
    local = frame.f_locals
    if sys.version_info >= (3, 13) or frame.f_code.co_flags & _OPTIMIZED != _OPTIMIZED:
        return dict(local)
    found = dict(local)
    if sys.getrefcount(local) <= _NOBODY_ELSE:
        local.clear()  # the snapshot would keep every local alive until the function returns
    return found
