"""How much memory calls of the step need at most, beyond what is taken before them.

On a GPU, TensorFlow's allocator keeps the peak. On the CPU its allocator is malloc, which tells what is taken at a
moment: it is asked without pause by a thread, each time within microseconds, and behind each op that runs eagerly. So
eager figures are exact, and those of a graph but for blocks that are gone within microseconds, which are small. The
peak of the process' resident memory is no way to it: malloc holds on to what was freed, in amounts that depend on what
ran before, and gives it out again.
"""

from __future__ import annotations

import ctypes
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final, Protocol

from tapeinspect.probe import tf_private

_LEAST, _MOST, _SECONDS = 2, 50, 0.2
"""Calls that are watched, and how long: ops side by side run in another order each time, and a moment may be missed."""
_MAPS: Final = Path("/proc/self/maps")
_OTHERS: Final = ("tcmalloc", "jemalloc", "mimalloc")
"""Libraries that take the place of glibc's malloc, which then knows nothing."""


class Gauge(Protocol):
    """Tells the peak of what is taken."""

    device: str
    """"gpu" or "cpu"."""

    def peak(self, calls: Callable[[], None]) -> int:
        """Bytes at most while `calls` runs, beyond those before."""


def gauge() -> Gauge | None:
    """What can be measured here, None when nothing can: the GPUs' memory where there are any, else the process'."""
    import tensorflow as tf

    gpus = [device.name for device in tf.config.list_logical_devices("GPU")]
    try:
        made: Gauge = Allocator(gpus) if gpus else Heap()
        made.peak(lambda: None)
    except (OSError, ValueError, LookupError, AttributeError, RuntimeError, tf.errors.OpError):
        return None
    return made


def peak_of(found: Gauge, call: Callable[[], None]) -> int:
    """Bytes that calls of something need at most. It has been called before, so that what it keeps is there."""

    def calls() -> None:
        begun, count = time.perf_counter(), 0
        while count < _LEAST or (count < _MOST and time.perf_counter() - begun < _SECONDS):
            call()
            count += 1

    return max(0, found.peak(calls))


class Allocator:
    """TensorFlow's own figures of GPUs. Raises ValueError or the like where its allocator keeps none."""

    device = "gpu"

    def __init__(self, names: list[str]) -> None:
        self._names = [name.removeprefix("/device:") for name in names]

    def peak(self, calls: Callable[[], None]) -> int:
        """Bytes at most while `calls` runs, beyond those before."""
        self._wait()
        for name in self._names:
            _config().reset_memory_stats(name)
        before = self._sum("current")
        calls()
        self._wait()
        return self._sum("peak") - before

    def _sum(self, which: str) -> int:
        return sum(int(_config().get_memory_info(name)[which]) for name in self._names)

    def _wait(self) -> None:
        """What was asked of a GPU may still run."""
        import tensorflow as tf

        with suppress(AttributeError):
            tf.test.experimental.sync_devices()


class _Mallinfo(ctypes.Structure):
    """As glibc's malloc.h has it."""

    _fields_ = tuple(
        (name, ctypes.c_size_t)
        for name in (
            "arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks", "uordblks", "fordblks", "keepcost",
        )
    )  # fmt: skip


class Heap:
    """What glibc's malloc has given out. Raises AttributeError, OSError or LookupError where that cannot be asked."""

    device = "cpu"

    def __init__(self) -> None:
        self._ask = ctypes.CDLL(None).mallinfo2
        self._ask.restype = _Mallinfo
        maps = _MAPS.read_text("utf-8", "replace")
        if any(name in maps for name in _OTHERS):
            raise LookupError("malloc is not glibc's")

    def taken(self) -> int:
        """Bytes that are given out now."""
        info = self._ask()
        return int(info.uordblks + info.hblkhd)

    def peak(self, calls: Callable[[], None]) -> int:
        """Bytes at most while `calls` runs, beyond those before."""
        before = most = self.taken()

        def behind_op(
            op_type: Any, inputs: Any, attrs: Any, outputs: Any, op_name: Any = None, graph: Any = None
        ) -> None:
            nonlocal most
            if graph is None:
                most = max(most, self.taken())

        with self._asked_without_pause() as found, tf_private.op_callback(behind_op):
            calls()
        return max(most, *found) - before

    @contextmanager
    def _asked_without_pause(self) -> Iterator[list[int]]:
        """The most that was taken is in the list behind the block."""
        over = threading.Event()
        found = [0]

        def ask() -> None:
            most, ask, is_over = 0, self._ask, over.is_set
            while not is_over():
                info = ask()
                taken = info.uordblks + info.hblkhd
                if taken > most:
                    most = taken
            found.append(most)

        thread = threading.Thread(target=ask, name="tapeinspect-memory", daemon=True)
        thread.start()
        try:
            yield found
        finally:
            over.set()
            thread.join()


def _config() -> Any:
    import tensorflow as tf

    return tf.config.experimental
