"""The quick figures of tensors, from NumPy arrays: what is taken of outputs, gradients and variables in each batch.

`_figures.c` takes those of float32 and float64 in a fraction of the time, where it could be compiled.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import numpy as np

from tapeinspect import compiled
from tapeinspect.trace.records import Value

Array = np.ndarray[Any, Any]

_compiled: Any = compiled.load("tapeinspect.trace._figures")

BLOCK: Final = 1 << 16
"""Elements looked at together: few enough to stay in the cache from one figure to the next."""

_PIECE: Final = 8192
"""Elements in one BLAS call: more than 10,000 wake OpenBLAS' threads, which take the cores from TensorFlow's."""

_LARGE: Final = 1 << 15
"""Elements from which on rows of small BLAS calls are quicker than NumPy's own loop."""

_vdot: Final = getattr(np.vdot, "_implementation", np.vdot)
"""`numpy.vdot` without the Python code in front of it that looks for other kinds of arrays."""

_TINY, _HUGE = 1e-30, 1e38

_SMALL: Final = 1e-30
"""Below this, a sum of float32 squares may have lost squares too small for a float32."""


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
    found = None if _compiled is None else _compiled.stats(array)
    if found is not None:
        return BlockStats(*found)
    flat = np.ravel(array, order="K")
    if flat.dtype.kind == "c":
        return _complex_block_stats(flat)
    if 0 < flat.size <= _PIECE and flat.dtype.char in "fd":
        quick = _quick_stats(flat)
        if quick is not None:
            return quick
    sums = Sums()
    with np.errstate(all="ignore"):  # a warning would go into the output of the user's script
        for block in _float_blocks(flat):
            sums.add(block)
    return sums.result(flat.size)


def _quick_stats(flat: Array) -> BlockStats | None:
    """The figures of a small float array in the plain way; None when a value is not finite or needs care."""
    squares = float(_vdot(flat, flat))
    if not _TINY < squares < _HUGE:
        return None
    least, most, size = float(flat.min()), float(flat.max()), flat.size
    mean = min(max(float(flat.sum()) / size, least), most)
    zeros = (size - int(np.count_nonzero(flat))) / size
    return BlockStats(math.sqrt(squares), least, most, mean, 0, 0, zeros)


def sum_of_squares(array: Array) -> float:
    """Sum of the squares of a float32 or float64 array; not finite when one is not, or it overflows. Never warns."""
    found = None if _compiled is None else _compiled.squares(array)
    return _sum_of_squares(array) if found is None else float(found)


def _sum_of_squares(array: Array) -> float:
    size = array.size
    if size <= _PIECE:
        return float(_vdot(array, array))  # unlike `dot`, does not warn of an overflow
    flat = array.ravel()
    if size < _LARGE:
        return float(np.einsum("i,i", flat, flat))
    rows = size // _PIECE
    whole, rest = flat[: rows * _PIECE], flat[rows * _PIECE :]
    with np.errstate(all="ignore"):
        found = np.matmul(whole.reshape(rows, 1, _PIECE), whole.reshape(rows, _PIECE, 1)).sum()
        return float(found + _vdot(rest, rest))


squares: Final = _sum_of_squares if _compiled is None else _compiled.squares
"""`sum_of_squares` for where every call counts. In C it gives None for other arrays."""


def norm_of(array: Array) -> float | None:
    """L2 norm of an array; None when it holds NaN or Inf."""
    if array.dtype.char in "fd":
        found = sum_of_squares(array)
        if _TINY < found < _HUGE:
            return math.sqrt(found)
    return block_stats(array).norm


class Difference(NamedTuple):
    """How one array differs from another."""

    norm: float | None
    """L2 norm of the difference; None when it holds NaN or Inf."""
    largest: float | None
    """The largest magnitude of an element of it; None when none is finite."""
    zeros: float
    """Share of elements that are the same, 0 to 1."""


def difference(before: Array, after: Array) -> Difference:
    """How two arrays of one shape and type differ; types too small for it are made wider."""
    found = None if _compiled is None else _compiled.change(before, after)
    if found is not None:
        return Difference(*found)
    figures = block_stats(apart(before, after))
    ends = None if figures.min is None or figures.max is None else max(-figures.min, figures.max)
    return Difference(figures.norm, ends, figures.zeros)


def apart(before: Array, after: Array) -> Array:
    """What an array changed by, in a type wide enough for it to be told."""
    kind, size = before.dtype.kind, before.dtype.itemsize
    with np.errstate(all="ignore"):
        if kind in "fc" and size >= 4:
            return np.asarray(after - before)
        wide = "complex128" if kind == "c" else "float64"
        return np.asarray(after.astype(wide) - before.astype(wide))


class Sums:
    """Figures summed over blocks of float32 or float64."""

    def __init__(self) -> None:
        self._norm = 0.0
        self._min = math.inf
        self._max = -math.inf
        self._sum = 0.0
        self._zeros = 0
        self._nan = 0
        self._inf = 0
        self._mask = np.empty(BLOCK, bool)

    def add(self, block: Array) -> None:
        """Take in a block of at most `BLOCK` elements."""
        mask = self._mask[: block.size]
        squares = squares_of(block)
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


def squares_of(block: Array) -> float:
    """Sum of the squares, in BLAS calls that wake no threads."""
    total = 0.0
    for start in range(0, block.size, _PIECE):
        piece = block[start : start + _PIECE]
        total += float(np.dot(piece, piece))
    return total


def _careful_norm(block: Array, largest: float) -> float:
    """L2 norm of finite values whose squares do not fit their type."""
    scaled = block.astype(np.float64) / largest
    return largest * math.sqrt(squares_of(scaled))


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
    for start in range(0, flat.size, BLOCK):
        block = flat[start : start + BLOCK]
        yield block if as_is else block.astype(wanted)


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
