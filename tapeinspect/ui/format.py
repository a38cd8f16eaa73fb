"""Numbers, times, shapes and strings as the screen shows them. Pure functions, no Textual."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from tapeinspect.trace.records import TensorSpec

BARS = "▁▂▃▄▅▆▇█"
_DTYPES = {
    "float32": "f32", "float64": "f64", "float16": "f16", "bfloat16": "bf16", "int32": "i32", "int64": "i64",
    "int16": "i16", "int8": "i8", "uint8": "u8", "uint16": "u16", "uint32": "u32", "uint64": "u64",
    "complex64": "c64", "complex128": "c128", "string": "str", "resource": "res", "variant": "var",
}  # fmt: skip
_VISIBLE = {i: chr(0x2400 + i) for i in range(32)} | {0x7F: "␡", 0x9: "    "}
_VISIBLE |= dict.fromkeys([*range(128, 160), *range(8234, 8239), *range(8294, 8298), 8206, 8207], "�")


def visible(text: str) -> str:
    """The text on one line with control characters made visible, tabs as four spaces."""
    return text if text.isascii() and text.isprintable() else text.translate(_VISIBLE)


def number(value: float | None, digits: int = 4) -> str:
    """A figure in about `digits` significant digits: `0.1234`, `1.234e-07`, `nan`, `–` for None."""
    if value is None:
        return "–"
    if not math.isfinite(value):
        return "nan" if math.isnan(value) else ("inf" if value > 0 else "-inf")
    if value == 0:
        return "0"
    size = abs(value)
    if size >= 10**6 or size < 10**-3:
        return f"{value:.{digits - 2}e}"
    if size >= 10 ** (digits - 1):
        return f"{value:.0f}"
    return f"{value:.{min(5, digits - 1 - math.floor(math.log10(size)))}f}"


def loss(value: float) -> str:
    """A loss: `2.084`, `0.0729`."""
    return f"{value:.4g}"


def took(nanoseconds: float | None) -> str:
    """A duration: `850 ns`, `12.3 µs`, `4.56 ms`, `1.23 s`, `2m 05s`."""
    if nanoseconds is None or nanoseconds < 0:
        return "–"
    for limit, scale, unit in ((1e3, 1, "ns"), (1e6, 1e3, "µs"), (1e9, 1e6, "ms")):
        if nanoseconds < limit * 0.9995:
            figure = nanoseconds / scale
            return f"{figure:.0f} {unit}" if figure >= 100 or scale == 1 else f"{figure:.3g} {unit}"
    seconds = nanoseconds / 1e9
    if seconds < 100:
        return f"{seconds:.3g} s"
    return f"{int(seconds) // 60}m {int(seconds) % 60:02d}s"


def count(value: int, noun: str = "") -> str:
    """`1,234 ops`; the noun gets its plural s."""
    if not noun:
        return f"{value:,}"
    return f"{value:,} {noun}" + ("" if value == 1 else "es" if noun.endswith("ch") else "s")


def size(value: int) -> str:
    """Bytes: `12 kB`, `3.4 MB`."""
    figure = float(value)
    for unit in ("B", "kB", "MB", "GB"):
        if figure < 1000 or unit == "GB":
            break
        figure /= 1000
    return f"{figure:.0f} {unit}" if figure >= 10 or unit == "B" else f"{figure:.1f} {unit}"


def percent(share: float | None) -> str:
    """A share from 0 to 1 as `12.3%`."""
    if share is None:
        return "–"
    if share in (0.0, 1.0):
        return f"{share:.0%}"
    return f"{share * 100:.1f}%" if share >= 0.001 else "<0.1%"


def shape(dims: Sequence[int] | None) -> str:
    """`32×28×28×1`, `scalar` for no axes, `?` for an unknown rank."""
    if dims is None:
        return "?"
    return "×".join("?" if dim is None or dim < 0 else str(dim) for dim in dims) if dims else "scalar"


def spec(tensor: TensorSpec | None, short: bool = False) -> str:
    """Dtype and shape of a tensor: `float32 32×10`."""
    if tensor is None:
        return ""
    dtype = _DTYPES.get(tensor.dtype, tensor.dtype) if short else tensor.dtype
    return f"{dtype} {shape(tensor.shape)}"


def sparkline(values: Iterable[float | None], logarithmic: bool = False) -> str:
    """One bar a value, scaled to their range; `·` where there is none, `!` where it is not finite."""
    figures = list(values)
    finite = [scaled for value in figures if (scaled := _scaled(value, logarithmic)) is not None]
    low, high = (min(finite), max(finite)) if finite else (0.0, 0.0)
    bars = []
    for value in figures:
        scaled = _scaled(value, logarithmic)
        if value is None:
            bars.append("·")
        elif scaled is None:
            bars.append("!")
        elif high == low:
            bars.append(BARS[3])
        else:
            bars.append(BARS[round((scaled - low) / (high - low) * 7)])
    return "".join(bars)


def _scaled(value: float | None, logarithmic: bool) -> float | None:
    if value is None or not math.isfinite(value):
        return None
    return math.log(max(value, 1e-12)) if logarithmic else value


def histogram(counts: Sequence[int], width: int = 24) -> str:
    """The bins of a histogram as bars; an empty bin is a space."""
    if not counts or not max(counts):
        return ""
    if len(counts) > width:
        step = len(counts) / width
        counts = [
            sum(counts[int(i * step) : max(int(i * step) + 1, int((i + 1) * step))]) for i in range(width)
        ]
    top = max(counts)
    return "".join(" " if not bin else BARS[min(7, bin * 8 // (top + 1))] for bin in counts)


def basename(path: str | None) -> str:
    """The last part of a path."""
    return visible(path.rsplit("/", 1)[-1]) if path else ""
