"""How far two arrays are apart, and whether that is rounding."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal

from tapeinspect.trace import bits

Verdict = Literal["bit-equal", "rounding", "real"]

TOLERANCE: Final[dict[str, float]] = {
    "float64": 1e-12,
    "complex128": 1e-12,
    "float32": 1e-5,
    "complex64": 1e-5,
    "float16": 4e-3,
    "bfloat16": 3e-2,
}
"""Relative tolerance by dtype: what a few hundred roundings of that type add up to."""
GRADIENT_SHARE: Final = 0.5
"""Tolerance of a gradient relative to the norm of all gradients, as a share of the relative one."""

_ULP_TYPES = {2: "uint16", 4: "uint32", 8: "uint64"}
_MOST_ULPS = 1 << 62
"""What a database can hold."""


@dataclass(frozen=True, slots=True)
class Distance:
    """How far two arrays are apart."""

    max_abs: float | None
    """None: they have other shapes or types, or no numbers."""
    max_rel: float | None
    ulp: int | None
    """Representable numbers between the two that are furthest apart; None for what is not a float."""
    verdict: Verdict


EQUAL: Final = Distance(0.0, 0.0, 0, "bit-equal")


def distance(
    a: Any,
    b: Any,
    tolerance: float | None = None,
    scale: float | None = None,
    floor: float = 0.0,
    loosened: float = 1.0,
) -> Distance:
    """Compare two arrays.

    tolerance: relative one, by dtype when None. scale: what an element is judged against besides itself, the largest
    magnitude in `a` when None. floor: a difference up to this is rounding whatever the rest says. loosened: by how much
    the tolerance by dtype is.
    """
    import numpy as np

    a, b = np.asarray(a), np.asarray(b)
    if a.shape != b.shape or a.dtype != b.dtype:
        return Distance(None, None, None, "real")
    if a.dtype.kind in "OSU":
        return EQUAL if bool((a == b).all()) else Distance(None, None, None, "real")
    if bits.same(a, b):
        return EQUAL
    if a.dtype.kind in "biu":
        apart = np.abs(a.astype("float64") - b.astype("float64"))
        return Distance(float(apart.max()), None, None, "real")
    if _bits(a.dtype) is None:
        return Distance(None, None, None, "real")
    return _floats(a, b, _tolerance(a.dtype.name, tolerance, loosened), scale, floor)


def _floats(a: Any, b: Any, tolerance: float, scale: float | None, floor: float) -> Distance:
    import numpy as np

    wide = "complex128" if a.dtype.kind == "c" else "float64"
    x, y = a.astype(wide), b.astype(wide)
    odd = ~(np.isfinite(x) & np.isfinite(y))
    same_odd = (np.isnan(x) & np.isnan(y)) | (x == y)
    if bool((odd & ~same_odd).any()):
        return Distance(float("inf"), float("inf"), None, "real")
    x, y = np.where(odd, 0, x), np.where(odd, 0, y)
    apart, size = np.abs(x - y), np.abs(x)
    largest = float(apart.max()) if apart.size else 0.0
    with np.errstate(divide="ignore", invalid="ignore"):
        relative = np.where(apart == 0, 0.0, apart / np.maximum(size, np.abs(y)))
    against = float(size.max()) if scale is None else scale
    allowed = np.maximum(tolerance * size + tolerance * against, floor)
    verdict: Verdict = "rounding" if bool((apart <= allowed).all()) else "real"
    return Distance(largest, float(relative.max()) if relative.size else 0.0, _ulps(a, b), verdict)


def _tolerance(dtype: str, given: float | None, loosened: float) -> float:
    default = TOLERANCE.get(dtype, 0.0) * loosened
    return default if given is None else max(given, 0.0)


def _bits(dtype: Any) -> str | None:
    if dtype.kind == "c":
        return _ULP_TYPES.get(dtype.itemsize // 2)
    return _ULP_TYPES.get(dtype.itemsize) if dtype.kind in "fV" else None


def _ulps(a: Any, b: Any) -> int | None:
    """The most representable numbers between two elements."""
    import numpy as np

    kind = _bits(a.dtype)
    if kind is None or not a.size:
        return None
    x, y = (_ordered(np.ascontiguousarray(v).reshape(-1).view(kind)) for v in (a, b))
    good = np.isfinite(a.astype("complex128")).reshape(-1)
    if a.dtype.kind == "c":
        good = np.repeat(good, 2)
    apart = (np.maximum(x, y) - np.minimum(x, y))[good]
    return min(int(apart.max()), _MOST_ULPS) if apart.size else None


def _ordered(bits: Any) -> Any:
    """Floats' bits as whole numbers in the floats' order."""
    import numpy as np

    sign = np.uint64(1) << np.uint64(8 * bits.dtype.itemsize - 1)
    raw = bits.astype("uint64")
    size = raw & (sign - np.uint64(1))
    return np.where(raw & sign, sign - size, sign + size)
