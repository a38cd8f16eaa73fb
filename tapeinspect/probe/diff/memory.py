"""How much memory calls of the step need at most, beyond what is taken before them.

On a GPU, TensorFlow's allocator keeps the peak. So it does on a CPU on which TensorFlow uses oneDNN (those with VNNI or
AMX, say), where it holds on to what it has had of malloc. On others its allocator is malloc, which tells what is taken
at a moment. While a graph runs, a thread asks without pause, each time within microseconds; so the figure lacks blocks
at most that are gone within microseconds, which are small. Where ops run one by one that would take Python's lock from
them, so it is asked behind each op, and by the thread a few times in a millisecond for what an op holds meanwhile. The
peak of the process' resident memory is no way to it: malloc holds on to what was freed, in amounts that depend on what
ran before, and gives it out again.
"""

from __future__ import annotations

import ctypes
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar

from tapeinspect.probe import tf_private

Result = TypeVar("Result")

_MOST: Final = 50
"""Calls that are watched, at most: ops side by side run in another order each time, and a moment may be missed."""
_PAUSE: Final = 0.0005
"""Seconds between two questions while ops run one by one: what they hold longer than that is seen."""
_MAPS: Final = Path("/proc/self/maps")
_OTHERS: Final = ("tcmalloc", "jemalloc", "mimalloc")
"""Libraries that take the place of glibc's malloc, which then knows nothing."""


class Gauge(Protocol):
    """Tells the peak of what is taken."""

    device: str
    """"gpu" or "cpu"."""
    aside: int
    """Bytes of the host's that are held for the comparison's sake, and left out."""

    def peak(self, call: Callable[[], Result], one_by_one: bool = False) -> tuple[int, Result]:
        """Bytes at most while `call` runs, beyond those before, and what it returns.

        one_by_one: it runs op by op, so that there is a moment to ask behind each.
        """


def gauge() -> Gauge | None:
    """What can be measured here, None when nothing can: the GPUs' memory where there are any, else the process'."""
    import tensorflow as tf

    gpus = [device.name for device in tf.config.list_logical_devices("GPU")]
    ways: list[Callable[[], Gauge]] = [lambda: Allocator(["CPU:0"], "cpu"), Heap]
    for way in [lambda: Allocator(gpus, "gpu")] if gpus else ways:
        with suppress(OSError, ValueError, LookupError, AttributeError, RuntimeError, tf.errors.OpError):
            made = way()
            made.peak(lambda: None)
            return made
    return None


def peak_of(found: Gauge, call: Callable[[], Any], seconds: float) -> int:
    """Bytes that calls of a graph need at most, called for so many seconds, at least once.

    It has been called before, so that what it keeps is there.
    """

    def calls() -> None:
        begun, count = time.perf_counter(), 0
        while not count or (count < _MOST and time.perf_counter() - begun < seconds):
            call()
            count += 1

    return found.peak(calls)[0]


class Allocator:
    """TensorFlow's own figures of devices. Raises ValueError or the like where its allocator keeps none."""

    def __init__(self, names: list[str], device: str) -> None:
        self.device = device
        self._names = [name.removeprefix("/device:") for name in names]
        self.aside = 0

    def peak(self, call: Callable[[], Result], one_by_one: bool = False) -> tuple[int, Result]:
        """Bytes at most while `call` runs, beyond those before, and what it returns."""
        self._wait()
        for name in self._names:
            _config().reset_memory_stats(name)
        before = self._sum("current")
        result = call()
        self._wait()
        return max(0, self._sum("peak") - before), result

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
        self.aside = 0
        self._ask = ctypes.CDLL(None).mallinfo2
        self._ask.restype = _Mallinfo
        maps = _MAPS.read_text("utf-8", "replace")
        if any(name in maps for name in _OTHERS):
            raise LookupError("malloc is not glibc's")

    def taken(self) -> int:
        """Bytes that are given out now, those held for the comparison's sake left out."""
        info = self._ask()
        return int(info.uordblks + info.hblkhd) - self.aside

    def peak(self, call: Callable[[], Result], one_by_one: bool = False) -> tuple[int, Result]:
        """Bytes at most while `call` runs, beyond those before, and what it returns."""
        self.aside = 0
        before = most = self.taken()

        def behind_op(
            op_type: Any, inputs: Any, attrs: Any, outputs: Any, op_name: Any = None, graph: Any = None
        ) -> None:
            nonlocal most
            if graph is None:
                most = max(most, self.taken())

        with ExitStack() as stack:
            found = stack.enter_context(self._asked_all_the_time(_PAUSE if one_by_one else 0.0))
            if one_by_one:
                stack.enter_context(tf_private.op_callback(behind_op))
            result = call()
        return max(most, *found) - before, result

    @contextmanager
    def _asked_all_the_time(self, pause: float) -> Iterator[list[int]]:
        """The most that was taken is in the list behind the block. pause: seconds between two questions."""
        over = threading.Event()
        found = [0]

        def ask() -> None:
            most, ask, is_over = 0, self._ask, over.is_set
            while not is_over():
                info = ask()
                taken = info.uordblks + info.hblkhd - self.aside
                if taken > most:
                    most = taken
                if pause:
                    time.sleep(pause)
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
