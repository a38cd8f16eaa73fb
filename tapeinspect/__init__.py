"""tapeinspect: a visual debugger, in the terminal, for TensorFlow eager ops, gradient tapes and AutoGraph.

`record()` records a piece of a running program; `open_trace()` reads a recording. Both are imported when first
asked for, so that `import tapeinspect` costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tapeinspect.probe.api import record
    from tapeinspect.trace.reader import open_trace

__version__ = "0.1.0"
__all__ = ["__version__", "open_trace", "record"]


def __getattr__(name: str) -> Any:
    if name == "open_trace":
        from tapeinspect.trace.reader import open_trace

        return open_trace
    if name == "record":
        from tapeinspect.probe.api import record

        return record
    raise AttributeError(f"module 'tapeinspect' has no attribute {name!r}")
