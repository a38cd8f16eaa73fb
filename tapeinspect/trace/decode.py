"""From the columns of a trace file to the fields of records, and back.

A recording may come from a stranger: whatever has the wrong type becomes "unknown" (None, 0, an empty text),
so no record ever holds something else than its type says.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any

from tapeinspect.trace.records import Argument, ErrorFrame, Stats, TensorSpec

_LIMIT = 1 << 63
_ARGUMENT_KINDS = ("tensor", "array", "variable", "python", "structure")


def whole(value: object) -> int:
    """An integer, 0 when it is none."""
    return value if isinstance(value, int) else 0


def maybe_whole(value: object) -> int | None:
    """An integer or None."""
    return value if isinstance(value, int) else None


def real(value: object) -> float:
    """A finite float, 0 when it is none."""
    return maybe_real(value) or 0.0


def maybe_real(value: object) -> float | None:
    """A finite float or None."""
    if not isinstance(value, (int, float)):
        return None
    try:
        return float(value) if math.isfinite(value) else None
    except OverflowError:
        return None


def maybe_loss(value: object) -> float | None:
    """A loss: a float that may be NaN (stored as the text 'nan') or infinite, or None."""
    if value == "nan":
        return math.nan
    return float(value) if isinstance(value, (int, float)) and abs(value) <= math.inf else None


def text(value: object) -> str:
    """A text, empty when it is none."""
    return value if isinstance(value, str) else ""


def maybe_text(value: object) -> str | None:
    """A text or None."""
    return value if isinstance(value, str) else None


def from_json(value: object) -> Any:
    """The content of JSON text; None when it is not JSON."""
    if not isinstance(value, str):
        return None
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return None


def ids(value: object) -> tuple[int, ...]:
    """The ids in a JSON list."""
    content = from_json(value)
    if not isinstance(content, list):
        return ()
    return tuple(i for i in content if type(i) is int and -_LIMIT <= i < _LIMIT)


def shape(content: object) -> tuple[int, ...] | None:
    """A shape out of parsed JSON."""
    if not isinstance(content, list) or not all(type(size) is int for size in content):
        return None
    return tuple(content)


def shape_to_json(sizes: Sequence[int] | None) -> str:
    """JSON text of a shape."""
    return json.dumps(sizes, separators=(",", ":"))


def spec(content: object) -> TensorSpec | None:
    """A dtype and a shape, `["float32", [2, 3]]`, out of parsed JSON."""
    if not isinstance(content, list) or len(content) != 2 or not isinstance(content[0], str):
        return None
    return TensorSpec(content[0], shape(content[1]))


def specs(value: object) -> tuple[TensorSpec, ...]:
    """The dtypes and shapes in a JSON list."""
    content = from_json(value)
    if not isinstance(content, list):
        return ()
    return tuple(spec(item) or TensorSpec("unknown", None) for item in content)


def specs_to_json(outputs: Sequence[TensorSpec]) -> str:
    """JSON text that `specs` reads."""
    return json.dumps([[output.dtype, output.shape] for output in outputs], separators=(",", ":"))


def arguments(value: object) -> tuple[Argument, ...]:
    """The arguments in the JSON list of `step.args_json`."""
    content = from_json(value)
    if not isinstance(content, list):
        return ()
    return tuple(_argument(item) for item in content if isinstance(item, dict))


def _argument(item: dict[str, Any]) -> Argument:
    kind = item.get("kind")
    return Argument(
        name=text(item.get("name")),
        kind=kind if kind in _ARGUMENT_KINDS else "python",
        text=text(item.get("text")),
        spec=spec(item.get("spec")),
        tensor=maybe_whole(item.get("tensor")),
        exact=item.get("exact") is not False,
    )


def arguments_to_json(args: Sequence[Argument]) -> str:
    """JSON text that `arguments` reads: objects with the fields of `Argument`, spec as [dtype, shape]."""
    items = []
    for arg in args:
        item: dict[str, Any] = {"name": arg.name, "kind": arg.kind, "text": arg.text}
        if arg.spec is not None:
            item["spec"] = [arg.spec.dtype, arg.spec.shape]
        if arg.tensor is not None:
            item["tensor"] = arg.tensor
        if not arg.exact:
            item["exact"] = False
        items.append(item)
    return json.dumps(items, separators=(",", ":"))


def error_frames(value: object) -> tuple[ErrorFrame, ...]:
    """The frames in the JSON list of `error.frames_json`."""
    content = from_json(value)
    if not isinstance(content, list):
        return ()
    return tuple(
        ErrorFrame(
            file=text(item.get("file")),
            line=maybe_whole(item.get("line")),
            function=text(item.get("function")),
            code=text(item.get("code")),
            user=item.get("user") is True,
        )
        for item in content
        if isinstance(item, dict)
    )


def stats(row: Sequence[Any]) -> Stats:
    """The figures in a row of `stats` without its first column, the tensor."""
    size, nan, inf, zeros, least, most, mean, std, norm, histogram = row
    edges, counts = _histogram(from_json(histogram))
    return Stats(
        size=whole(size),
        nan=whole(nan),
        inf=whole(inf),
        zeros=whole(zeros),
        min=maybe_real(least),
        max=maybe_real(most),
        mean=maybe_real(mean),
        std=maybe_real(std),
        norm=maybe_real(norm),
        edges=edges,
        counts=counts,
    )


def stats_row(tensor: int, figures: Stats) -> tuple[Any, ...]:
    """The row of table `stats` for these figures."""
    histogram = None
    if figures.counts:
        histogram = json.dumps({"edges": figures.edges, "counts": figures.counts}, separators=(",", ":"))
    return (
        tensor,
        figures.size,
        figures.nan,
        figures.inf,
        figures.zeros,
        figures.min,
        figures.max,
        figures.mean,
        figures.std,
        figures.norm,
        histogram,
    )


def _histogram(content: Any) -> tuple[tuple[float, ...], tuple[int, ...]]:
    if not isinstance(content, dict):
        return (), ()
    edges, counts = content.get("edges"), content.get("counts")
    if not isinstance(edges, list) or not isinstance(counts, list) or len(edges) != len(counts) + 1:
        return (), ()
    if any(maybe_real(edge) is None for edge in edges) or any(type(count) is not int for count in counts):
        return (), ()
    return tuple(float(edge) for edge in edges), tuple(counts)
