"""How much memory calls of the step need at most, beyond what is taken before them.

On a GPU, TensorFlow's allocator keeps the peak. On the CPU its allocator is malloc, which keeps none; Linux does, of
the resident memory of a process. malloc holds on to what was freed, which would hide what is taken again, so it gives
all of that back first. Nothing is sampled, so that no short peak is missed.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, Protocol

_CALLS: Final = 2
"""Calls that are watched: of ops that run side by side, the order differs from call to call."""
_STATUS: Final = Path("/proc/self/status")
_RESET: Final = Path("/proc/self/clear_refs")
_MAPS: Final = Path("/proc/self/maps")
_OTHERS: Final = ("tcmalloc", "jemalloc", "mimalloc")
"""Libraries that take the place of glibc's malloc, and that malloc_trim does not reach."""


class Gauge(Protocol):
    """Tells the peak of what is allocated."""

    device: str
    """"gpu" or "cpu"."""

    def begin(self) -> None:
        """Forget the peak so far."""

    def peak(self) -> int:
        """Bytes at most since `begin`, beyond those of that moment."""


def gauge() -> Gauge | None:
    """What can be measured here, None when nothing can: the GPUs' memory where there are any, else the process'."""
    import tensorflow as tf

    gpus = [device.name for device in tf.config.list_logical_devices("GPU")]
    made: Gauge = Allocator(gpus) if gpus else Resident()
    try:
        made.begin()
        made.peak()
    except (OSError, ValueError, LookupError, AttributeError, RuntimeError, tf.errors.OpError):
        return None
    return made


def peak_of(found: Gauge, call: Callable[[], None]) -> int:
    """Bytes that calls of something need at most. It has been called before, so that what it keeps is there."""
    found.begin()
    for _ in range(_CALLS):
        call()
    return max(0, found.peak())


class Allocator:
    """TensorFlow's own figures of GPUs. Raises ValueError or the like where its allocator keeps none."""

    device = "gpu"

    def __init__(self, names: list[str]) -> None:
        self._names = [name.removeprefix("/device:") for name in names]
        self._before = 0

    def begin(self) -> None:
        """Forget the peak so far."""
        self._wait()
        for name in self._names:
            _config().reset_memory_stats(name)
        self._before = self._sum("current")

    def peak(self) -> int:
        """Bytes at most since `begin`, beyond those of that moment."""
        self._wait()
        return self._sum("peak") - self._before

    def _sum(self, which: str) -> int:
        return sum(int(_config().get_memory_info(name)[which]) for name in self._names)

    def _wait(self) -> None:
        """What was asked of a GPU may still run."""
        import tensorflow as tf

        with suppress(AttributeError):
            tf.test.experimental.sync_devices()


class Resident:
    """The peak that Linux keeps of a process' resident memory. Raises OSError or LookupError where that is not so."""

    device = "cpu"

    def __init__(self) -> None:
        self._before = 0

    def begin(self) -> None:
        """Have malloc give back what is free, and the kernel forget the peak so far."""
        if sys.platform != "linux":
            raise LookupError("only Linux keeps a peak that can be reset")
        maps = _MAPS.read_text("utf-8", "replace")
        if any(name in maps for name in _OTHERS):
            raise LookupError("malloc is not glibc's")
        ctypes.CDLL(None).malloc_trim(0)
        _RESET.write_text("5")
        self._before = _kilobytes("VmRSS") * 1024

    def peak(self) -> int:
        """Bytes at most since `begin`, beyond those of that moment."""
        return _kilobytes("VmHWM") * 1024 - self._before


def _kilobytes(field: str) -> int:
    """A figure of the process' status. Raises LookupError."""
    for line in _STATUS.read_text().splitlines():
        name, _, value = line.partition(":")
        if name == field:
            return int(value.split()[0])
    raise LookupError(field)


def _config() -> Any:
    import tensorflow as tf

    return tf.config.experimental
