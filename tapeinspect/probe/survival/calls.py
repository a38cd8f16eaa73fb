"""Which calls matter to tracing: what they do to Python's side, told from the function object that is called."""

from __future__ import annotations

import builtins
import datetime
import io
import logging
import random
import types
from collections import deque
from typing import Any, Final

CONTAINERS: Final = (list, dict, set, deque, bytearray)
_CHANGES: Final = frozenset({
    "append", "appendleft", "extend", "extendleft", "insert", "pop", "popleft", "popitem", "remove", "discard",
    "clear", "sort", "reverse", "rotate", "update", "setdefault", "add", "__setitem__", "__delitem__",
    "intersection_update", "difference_update", "symmetric_difference_update", "subtract", "fill", "itemset",
    "put", "resize",
})  # fmt: skip
_CLOCKS: Final = frozenset({
    "time", "time_ns", "perf_counter", "perf_counter_ns", "monotonic", "monotonic_ns", "process_time",
    "process_time_ns", "localtime", "gmtime", "ctime", "asctime", "strftime",
})  # fmt: skip
_LEVELS: Final = frozenset({"debug", "info", "warning", "error", "critical", "exception", "log"})
_WRITES: Final = {
    ("json", "dump"), ("pickle", "dump"), ("_pickle", "dump"), ("numpy", "save"), ("numpy", "savez"),
    ("numpy", "savetxt"), ("os", "remove"), ("posix", "remove"), ("posix", "mkdir"), ("os", "makedirs"),
    ("shutil", "copy"), ("csv", "writerow"), ("_csv", "writerow"), ("_csv", "writerows"),
}  # fmt: skip


def category(function: Any) -> str:
    """'container', 'print', 'log', 'file', 'random', 'clock', 'next', or '' for a call that tracing does not change."""
    owner = getattr(function, "__self__", None)
    name = str(getattr(function, "__name__", ""))
    module = str(getattr(function, "__module__", None) or type(owner).__module__)
    if function is builtins.print:
        return "print"
    if function is builtins.next or (name == "__next__" and owner is not None):
        return "next"
    if _is_random(owner, module, name):
        return "random"
    if _is_clock(owner, module, name):
        return "clock"
    if isinstance(owner, logging.Logger) or (module == "logging" and name in _LEVELS):
        return "log" if name in _LEVELS else ""
    if isinstance(owner, io.IOBase):
        return "file" if name in ("write", "writelines") else ""
    if (module.split(".")[0], name) in _WRITES or (type(owner).__module__, name) in _WRITES:
        return "file"
    if name in _CHANGES and (isinstance(owner, CONTAINERS) or type(owner).__name__ == "ndarray"):
        return "container"
    return ""


def _is_random(owner: Any, module: str, name: str) -> bool:
    if isinstance(owner, random.Random):
        return name not in ("seed", "getstate", "setstate")
    if type(owner).__module__.startswith("numpy.random"):
        return name not in ("seed", "get_state", "set_state", "spawn")
    if module.startswith("numpy.random"):
        return name == "default_rng"
    return (module, name) in {
        ("uuid", "uuid1"), ("uuid", "uuid4"), ("posix", "urandom"), ("nt", "urandom"), ("secrets", "token_hex"),
        ("secrets", "token_bytes"), ("secrets", "randbelow"),
    }  # fmt: skip


def _is_clock(owner: Any, module: str, name: str) -> bool:
    if module == "time":
        return name in _CLOCKS
    return isinstance(owner, type) and issubclass(owner, datetime.date) and name in ("now", "utcnow", "today")


def called(function: Any) -> str:
    """A function as its user would write it: `random.random`, `list.append`, `print`."""
    owner = getattr(function, "__self__", None)
    name = str(getattr(function, "__name__", type(function).__name__))
    module = str(getattr(function, "__module__", None) or "")
    if isinstance(owner, types.ModuleType):
        return name if owner is builtins else f"{owner.__name__}.{name}"
    if isinstance(owner, random.Random):
        return f"random.{name}"
    if type(owner).__module__.startswith("numpy.random"):
        return f"np.random.{name}" if type(owner).__name__ == "RandomState" else f"Generator.{name}"
    if owner is not None:
        return f"{owner.__name__ if isinstance(owner, type) else type(owner).__name__}.{name}"
    return f"{module}.{name}" if module and module != "builtins" else name
