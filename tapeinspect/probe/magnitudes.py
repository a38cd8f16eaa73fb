"""How the entries of gradients, variables and updates are spread over magnitudes, taken in some of the batches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tapeinspect.trace.figures import block_stats, magnitude_counts

if TYPE_CHECKING:
    from tapeinspect.probe.sink import Sink

_FIRST = 8
_EVERY = 8


def wanted(step: int | None) -> bool:
    """Whether the distributions of a batch are taken: the first ones tell most, later ones change slowly."""
    return step is not None and (step <= _FIRST or step % _EVERY == 0)


def write(sink: Sink, step: int, variable: int, subject: str, array: Any) -> None:
    """Write the distribution of a gradient ('gradient'), a variable ('weight') or its change ('update')."""
    if array.dtype.kind not in "fcV" or not array.size:
        return
    largest = share = None
    if subject == "update":
        figures = block_stats(array)
        share = figures.zeros
        if figures.min is not None and figures.max is not None:
            largest = max(-figures.min, figures.max)
    sink.add("magnitudes", (step, variable, subject, *magnitude_counts(array), largest, share))
