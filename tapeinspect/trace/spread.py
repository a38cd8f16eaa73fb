"""How the values of a tensor are spread: every figure with a histogram when somebody looks, and magnitudes."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator
from itertools import pairwise
from typing import Any, Final, NamedTuple

import numpy as np

from tapeinspect import compiled
from tapeinspect.trace.figures import BLOCK, Array, BlockStats, Sums, apart, squares_of
from tapeinspect.trace.records import Stats

_compiled: Any = compiled.load("tapeinspect.trace._figures")

BINS: Final = 40

SAMPLE: Final = 2048
"""Entries that stand for a larger tensor where the distribution of its magnitudes is taken."""


def stats_of(array: Array) -> Stats:
    """Every figure of an array, in double precision, with a histogram of its finite values.

    For complex numbers the figures are of the magnitudes. An array of strings has a size only.
    """
    flat = np.ravel(array, order="K")
    if flat.dtype.kind in "OSUM":
        return Stats(flat.size, 0, 0, 0, None, None, None, None, None)
    if flat.dtype.kind == "c":
        with np.errstate(all="ignore"):
            flat = np.abs(flat.astype(np.complex128))
    figures = _figures(flat)
    least, most, mean = figures.min, figures.max, figures.mean
    zeros = round(figures.zeros * flat.size)
    if least is None or most is None or mean is None:
        return Stats(flat.size, figures.nan, figures.inf, zeros, None, None, None, None, figures.norm)
    edges = _edges(least, most, whole=flat.dtype.kind in "iub")
    std, counts = _spread(flat, mean, edges, finite=flat.size - figures.nan - figures.inf)
    return Stats(
        size=flat.size,
        nan=figures.nan,
        inf=figures.inf,
        zeros=zeros,
        min=least,
        max=most,
        mean=mean,
        std=std,
        norm=figures.norm,
        edges=tuple(edges),
        counts=counts,
    )


class MagnitudeCounts(NamedTuple):
    """How large the entries of a tensor are; the columns `seen` to `counts_json` of the table `magnitudes`."""

    seen: int
    zeros: int
    bad: int
    counts_json: str


def magnitude_counts(array: Array, before: Array | None = None) -> MagnitudeCounts:
    """Counts the entries of an array, or of a sample of a large one, by powers of two.

    before: count what the array changed by since it held that, of the same shape and type.
    """
    size = array.size
    places = _sample(size) if size > SAMPLE else None
    found = None if _compiled is None else _compiled.magnitudes(array, before, places)
    if found is None:
        found = _magnitudes(array, before, places)
    zeros, bad, first, counts = found
    text = f"[{','.join(map(str, (first - 1, *counts)))}]" if counts else "[]"
    return MagnitudeCounts(min(size, SAMPLE), zeros, bad, text)


def _magnitudes(array: Array, before: Array | None, places: Array | None) -> tuple[int, int, int, list[int]]:
    """Zeros, NaNs and Infs, the least power of two that an entry is below, and the counts from there on."""
    flat, old = array.ravel(), None if before is None else before.ravel()
    if places is not None:
        flat, old = flat[places], None if old is None else old[places]
    if old is not None:
        flat = apart(old, flat)
    if flat.dtype.kind == "c":
        flat = np.abs(flat)
    if flat.dtype.kind != "f" or flat.dtype.itemsize < 4:
        flat = flat.astype(np.float32)
    mantissas, exponents = np.frexp(flat)  # 0.5 <= |mantissa| < 1
    finite = np.isfinite(mantissas)
    bad = flat.size - int(np.count_nonzero(finite))
    exponents = exponents[finite & (mantissas != 0)]
    zeros = flat.size - bad - exponents.size
    if not exponents.size:
        return zeros, bad, 0, []
    first = int(exponents.min())
    return zeros, bad, first, np.bincount(exponents - first).tolist()


@functools.lru_cache(64)
def _sample(size: int) -> Array:
    """Places in an array of some size, the same each time, in order: steps of equal width would hit one column."""
    return np.sort(np.random.default_rng(size).integers(0, size, SAMPLE))


def _double_blocks(flat: Array) -> Iterator[Array]:
    for start in range(0, flat.size, BLOCK):
        yield flat[start : start + BLOCK].astype(np.float64)


def _edges(least: float, most: float, whole: bool) -> list[float]:
    """Edges of the histogram's bins; none when the range cannot be divided."""
    if whole and most - least < BINS:
        return [least - 0.5 + step for step in range(int(most - least) + 2)]
    if least == most:
        return [least, most]
    width = (most - least) / BINS
    edges = [least + width * step for step in range(BINS)] + [most]
    if not math.isfinite(width) or any(b <= a for a, b in pairwise(edges)):
        return []
    return edges


def _figures(flat: Array) -> BlockStats:
    """The figures of a one-dimensional array, in double precision."""
    found = None if _compiled is None else _compiled.stats(flat)
    if found is not None:
        return BlockStats(*found)
    sums = Sums()
    with np.errstate(all="ignore"):
        for block in _double_blocks(flat):
            sums.add(block)
    return sums.result(flat.size)


def _spread(
    flat: Array, mean: float, edges: list[float], finite: int
) -> tuple[float | None, tuple[int, ...]]:
    """Standard deviation and histogram of the finite values."""
    found = None if _compiled is None else _compiled.spread(flat, mean, edges)
    squares, counted = _counted(flat, mean, edges) if found is None else found
    return math.sqrt(squares / finite) if math.isfinite(squares) else None, counted


def _counted(flat: Array, mean: float, edges: list[float]) -> tuple[float, tuple[int, ...]]:
    """The sum of the squares of what lies off the mean, and the counts between the edges."""
    squares = 0.0
    counts = np.zeros(max(0, len(edges) - 1), np.int64)
    for block in _double_blocks(flat):
        block = block[np.isfinite(block)]
        with np.errstate(all="ignore"):
            squares += squares_of(block - mean)
        if len(edges) == 2:
            counts[0] += block.size
        elif edges:
            counts += np.histogram(block, len(edges) - 1, (edges[0], edges[-1]))[0]
    return squares, tuple(int(count) for count in counts)
