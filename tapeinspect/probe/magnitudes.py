"""How the entries of gradients, variables and updates are spread over magnitudes, taken in some of the batches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tapeinspect.trace.figures import Difference
from tapeinspect.trace.spread import magnitude_counts

if TYPE_CHECKING:
    from tapeinspect.probe.sink import Sink

_FIRST = 8
_EVERY = 8


def wanted(step: int | None) -> bool:
    """Whether the distributions of a batch are taken: the first ones tell most, later ones change slowly."""
    return step is not None and (step <= _FIRST or step % _EVERY == 0)


def write(sink: Sink, step: int, variable: int, subject: str, array: Any) -> None:
    """Write the distribution of a gradient ('gradient') or a variable ('weight')."""
    if array.dtype.kind in "fcV" and array.size:
        sink.add("magnitudes", (step, variable, subject, *magnitude_counts(array), None, None))


def write_update(sink: Sink, step: int, variable: int, before: Any, after: Any, change: Difference) -> None:
    """Write the distribution of what a variable changed by, with its largest entry and the share of zeros."""
    if after.dtype.kind in "fcV" and after.size:
        counts = magnitude_counts(after, before)
        sink.add("magnitudes", (step, variable, "update", *counts, change.largest, change.zeros))
