"""Figures of tensors from NumPy arrays: cheap ones for gradients, full ones when somebody looks."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise
from typing import Any, Final, NamedTuple

import numpy as np

from tapeinspect.trace.records import Stats, Value

Array = np.ndarray[Any, Any]

BINS: Final = 40

_BLOCK: Final = 1 << 16
"""Elements looked at together: few enough to stay in the cache from one figure to the next."""

SMALL: Final = 8192
"""Elements in one BLAS call: more than 10,000 wake OpenBLAS' threads, which take the cores from TensorFlow's."""

_LARGE: Final = 1 << 15
"""Elements from which on rows of small BLAS calls are quicker than NumPy's own loop."""

_TOGETHER: Final = 2048
"""Elements up to which arrays are measured many at a time: it takes a tenth of the calls."""

vdot: Final = getattr(np.vdot, "_implementation", np.vdot)
"""`numpy.vdot` without the Python code in front of it that looks for other kinds of arrays."""

_TINY, _HUGE = 1e-30, 1e38

_SMALL: Final = 1e-30
"""Below this, a sum of float32 squares may have lost squares too small for a float32."""


SAMPLE: Final = 2048
"""Entries that stand for a larger tensor where the distribution of its magnitudes is taken."""


class BlockStats(NamedTuple):
    """Figures of a gradient or a variable; min, max, mean over finite values, None when there are none."""

    norm: float | None
    """L2 norm, to about 1e-6 of itself for float32; None when there is a NaN or an Inf."""
    min: float | None
    max: float | None
    mean: float | None
    nan: int
    inf: int
    zeros: float
    """Share of exact zeros, 0 to 1."""


def block_stats(array: Array) -> BlockStats:
    """The figures of an array of any shape and numeric type, in about one pass over its memory.

    For complex numbers min, max and mean are None and the norm is that of the magnitudes.
    """
    flat = np.ravel(array, order="K")
    if flat.dtype.kind == "c":
        return _complex_block_stats(flat)
    if 0 < flat.size <= SMALL and flat.dtype.char in "fd":
        quick = _quick_stats(flat)
        if quick is not None:
            return quick
    sums = _Sums()
    with np.errstate(all="ignore"):  # a warning would go into the output of the user's script
        for block in _float_blocks(flat):
            sums.add(block)
    return sums.result(flat.size)


def block_stats_of(arrays: Sequence[Array]) -> list[BlockStats]:
    """The figures of each of many arrays: the small ones together, as those of one array in pieces."""
    found: list[BlockStats | None] = [None] * len(arrays)
    for char in "fd":
        small = [i for i, a in enumerate(arrays) if a.dtype.char == char and 0 < a.size <= _TOGETHER]
        if len(small) > 1:
            flats = [np.ravel(arrays[i], order="K") for i in small]
            for i, figures in zip(small, _stats_together(flats), strict=True):
                found[i] = figures
    return [block_stats(a) if f is None else f for a, f in zip(arrays, found, strict=True)]


def _stats_together(flats: list[Array]) -> list[BlockStats | None]:
    """The figures of one-dimensional arrays of one float type; None for one that is not finite or needs care."""
    sizes = [flat.size for flat in flats]
    starts = list(accumulate(sizes[:-1], initial=0))
    flat = np.concatenate(flats)
    with np.errstate(all="ignore"):
        squares = np.add.reduceat(np.multiply(flat, flat, dtype=np.float64), starts).tolist()
        sums = np.add.reduceat(flat, starts, dtype=np.float64).tolist()
        least, most = (f.reduceat(flat, starts).tolist() for f in (np.minimum, np.maximum))
    filled = np.add.reduceat(flat != 0, starts, dtype=np.intp).tolist()
    return [
        BlockStats(math.sqrt(square), low, high, min(max(total / size, low), high), 0, 0, 1.0 - count / size)
        if _TINY < square < _HUGE
        else None
        for size, square, total, low, high, count in zip(
            sizes, squares, sums, least, most, filled, strict=True
        )
    ]


def _quick_stats(flat: Array) -> BlockStats | None:
    """The figures of a small float array in the plain way; None when a value is not finite or needs care."""
    squares = float(vdot(flat, flat))
    if not _TINY < squares < _HUGE:
        return None
    least, most, size = float(flat.min()), float(flat.max()), flat.size
    mean = min(max(float(flat.sum()) / size, least), most)
    return BlockStats(math.sqrt(squares), least, most, mean, 0, 0, 1.0 - int(np.count_nonzero(flat)) / size)


def sum_of_squares(flat: Array) -> float:
    """Sum of the squares of a one-dimensional float32 or float64 array; not finite when one is not, or it overflows.

    Never warns.
    """
    size = flat.size
    if size <= SMALL:
        return float(vdot(flat, flat))
    if size < _LARGE:
        return float(np.einsum("i,i", flat, flat))
    rows = size // SMALL
    whole, rest = flat[: rows * SMALL], flat[rows * SMALL :]
    with np.errstate(all="ignore"):
        found = np.matmul(whole.reshape(rows, 1, SMALL), whole.reshape(rows, SMALL, 1)).sum()
        return float(found + vdot(rest, rest))


def norm_of(array: Array) -> float | None:
    """L2 norm of an array; None when it holds NaN or Inf."""
    flat = np.ravel(array, order="K")
    if flat.dtype.char in "fd":
        squares = sum_of_squares(flat)
        if _TINY < squares < _HUGE:
            return math.sqrt(squares)
    return block_stats(flat).norm


class _Sums:
    """Figures summed over blocks of float32 or float64."""

    def __init__(self) -> None:
        self._norm = 0.0
        self._min = math.inf
        self._max = -math.inf
        self._sum = 0.0
        self._zeros = 0
        self._nan = 0
        self._inf = 0
        self._mask = np.empty(_BLOCK, bool)

    def add(self, block: Array) -> None:
        """Take in a block of at most `_BLOCK` elements."""
        mask = self._mask[: block.size]
        squares = _squares(block)
        if not math.isfinite(squares):
            np.isfinite(block, out=mask)
            if not mask.all():
                nan = int(np.count_nonzero(np.isnan(block)))
                self._nan += nan
                self._inf += block.size - int(np.count_nonzero(mask)) - nan
                block = block[mask]
                mask = self._mask[: block.size]
                if not block.size:
                    return
            squares = 0.0  # found anew below, with care
        least, most = float(block.min()), float(block.max())
        self._min, self._max = min(self._min, least), max(self._max, most)
        if squares < _SMALL and (least or most):
            self._norm = math.hypot(self._norm, _careful_norm(block, max(-least, most)))
        else:
            self._norm = math.hypot(self._norm, math.sqrt(squares))
        total = float(block.sum())
        self._sum += total if math.isfinite(total) else float(block.sum(dtype=np.float64))
        np.equal(block, 0, out=mask)
        self._zeros += int(np.count_nonzero(mask))

    def result(self, size: int) -> BlockStats:
        """The figures of everything taken in, `size` elements in all."""
        finite = size - self._nan - self._inf
        mean = min(max(self._sum / finite, self._min), self._max) if finite else None
        bad = self._nan or self._inf
        return BlockStats(
            norm=None if bad else self._norm,
            min=self._min if finite else None,
            max=self._max if finite else None,
            mean=mean,
            nan=self._nan,
            inf=self._inf,
            zeros=self._zeros / size if size else 0.0,
        )


def _squares(block: Array) -> float:
    """Sum of the squares, in BLAS calls that wake no threads."""
    total = 0.0
    for start in range(0, block.size, SMALL):
        piece = block[start : start + SMALL]
        total += float(np.dot(piece, piece))
    return total


def _careful_norm(block: Array, largest: float) -> float:
    """L2 norm of finite values whose squares do not fit their type."""
    scaled = block.astype(np.float64) / largest
    return largest * math.sqrt(_squares(scaled))


def _complex_block_stats(flat: Array) -> BlockStats:
    parts = flat.view(np.float32 if flat.dtype.itemsize == 8 else np.float64)
    figures = block_stats(parts)
    if figures.nan or figures.inf:
        nan = int(np.count_nonzero(np.isnan(flat)))
        inf = int(np.count_nonzero(np.isinf(flat) & ~np.isnan(flat)))
    else:
        nan = inf = 0
    zeros = int(np.count_nonzero(flat == 0)) / flat.size if flat.size else 0.0
    return BlockStats(figures.norm, None, None, None, nan, inf, zeros)


def _float_blocks(flat: Array) -> Iterator[Array]:
    """Blocks of the array as float32 or float64, whichever holds its values."""
    kind, size = flat.dtype.kind, flat.dtype.itemsize
    wanted = np.float32 if size <= 2 else np.float64
    as_is = kind == "f" and size in (4, 8) and flat.dtype.isnative
    for start in range(0, flat.size, _BLOCK):
        block = flat[start : start + _BLOCK]
        yield block if as_is else block.astype(wanted)


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
    sums = _Sums()
    with np.errstate(all="ignore"):
        for block in _double_blocks(flat):
            sums.add(block)
    figures = sums.result(flat.size)
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


def magnitude_counts(array: Array) -> MagnitudeCounts:
    """Counts the entries of an array, or of a sample of a large one, by powers of two."""
    flat = np.ravel(array, order="K")
    if flat.size > SAMPLE:
        flat = flat[_sample(flat.size)]
    if flat.dtype.kind == "c":
        flat = np.abs(flat)
    if flat.dtype.kind != "f" or flat.dtype.itemsize < 4:
        flat = flat.astype(np.float32)
    mantissas, exponents = np.frexp(flat)  # 0.5 <= |mantissa| < 1
    finite = np.isfinite(mantissas)
    bad = flat.size - int(np.count_nonzero(finite))
    exponents = exponents[finite & (mantissas != 0)]
    if not exponents.size:
        return MagnitudeCounts(flat.size, flat.size - bad, bad, "[]")
    first = int(exponents.min())
    counts = np.bincount(exponents - first).tolist()
    zeros = flat.size - bad - exponents.size
    return MagnitudeCounts(flat.size, zeros, bad, f"[{','.join(map(str, (first - 1, *counts)))}]")


@functools.lru_cache(64)
def _sample(size: int) -> Array:
    """Places in an array of some size, the same each time, in order: steps of equal width would hit one column."""
    return np.sort(np.random.default_rng(size).integers(0, size, SAMPLE))


def _double_blocks(flat: Array) -> Iterator[Array]:
    for start in range(0, flat.size, _BLOCK):
        yield flat[start : start + _BLOCK].astype(np.float64)


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


def _spread(
    flat: Array, mean: float, edges: list[float], finite: int
) -> tuple[float | None, tuple[int, ...]]:
    """Standard deviation and histogram of the finite values."""
    squares = 0.0
    counts = np.zeros(max(0, len(edges) - 1), np.int64)
    for block in _double_blocks(flat):
        block = block[np.isfinite(block)]
        with np.errstate(all="ignore"):
            apart = block - mean
            squares += _squares(apart)
        if len(edges) == 2:
            counts[0] += block.size
        elif edges:
            counts += np.histogram(block, len(edges) - 1, (edges[0], edges[-1]))[0]
    std = math.sqrt(squares / finite) if math.isfinite(squares) else None
    return std, tuple(int(count) for count in counts)


def array_of(value: Value) -> Array:
    """A stored value of numbers as an array, bfloat16 as float32. Raises ValueError for any other type."""
    shape = value.spec.shape
    if shape is None:
        raise ValueError("the shape is unknown")
    if value.spec.dtype == "bfloat16":
        upper = np.frombuffer(value.data, "<u2").astype("<u4") << 16
        return upper.view("<f4").reshape(shape)
    try:
        return np.frombuffer(value.data, np.dtype(value.spec.dtype).newbyteorder("<")).reshape(shape)
    except TypeError:
        raise ValueError(f"no numbers: {value.spec.dtype}") from None
