"""The figures and values of tensors: for the trace file, and in answer to the tool's questions."""

from __future__ import annotations

import dataclasses
import json
import math
from typing import Any

from tapeinspect.probe import tf_private
from tapeinspect.trace.records import TensorSpec
from tapeinspect.trace.values import value_row as packed_row

_WINDOW = 20_000


def array_of(tensor: Any) -> Any:
    """The value of a tensor as a NumPy array, sharing its memory where it can. Raises TypeError for variants."""
    import numpy as np

    return np.asarray(tf_private.view(tensor))


def stats_row(tensor: Any, array: Any) -> tuple[Any, ...]:
    """A row of the table `stats`."""
    from tapeinspect.trace.spread import stats_of

    s = stats_of(array)
    histogram = json.dumps({"edges": s.edges, "counts": s.counts}) if s.counts else None
    return (tensor._id, s.size, s.nan, s.inf, s.zeros, s.min, s.max, s.mean, s.std, s.norm, histogram)


def value_row(tensor: Any, array: Any, op: int | None, step: int | None) -> tuple[Any, ...]:
    """A row of the table `value`."""
    data = strings(array).encode() if array.dtype.kind in "OSU" else array.tobytes()
    return packed_row(tensor._id, op, step, TensorSpec(tensor.dtype.name, array.shape), data)


def strings(array: Any) -> str:
    """An array of strings as a JSON list."""
    return json.dumps([s.decode(errors="replace") if isinstance(s, bytes) else str(s) for s in array.ravel()])


def stats_body(tensor: Any) -> dict[str, Any]:
    """Full figures of a tensor, as the answer to `AskStats`."""
    from tapeinspect.trace.spread import stats_of

    return dataclasses.asdict(stats_of(array_of(tensor)))


def window_body(tensor: Any, index: tuple[Any, ...]) -> dict[str, Any]:
    """A window of a tensor's value, as the answer to `AskValue`. Raises ValueError for an index that does not fit."""
    array = array_of(tensor)
    if len(index) > array.ndim:
        raise ValueError(f"the tensor has {array.ndim} axes, not {len(index)}")
    part = array[tuple(slice(*entry) if isinstance(entry, (list, tuple)) else int(entry) for entry in index)]
    if part.size > _WINDOW:
        raise ValueError(f"{part.size:,} values at once are too many, at most {_WINDOW:,}")
    return {"dtype": tensor.dtype.name, "shape": list(array.shape), "window": _plain(part)}


def _plain(part: Any) -> Any:
    """Nested lists of what JSON can hold."""
    if part.dtype.kind in "OSU":
        return _map(part.tolist(), lambda s: s.decode(errors="replace") if isinstance(s, bytes) else str(s))
    if part.dtype.kind == "c":
        return _map(part.tolist(), str)
    if part.dtype.kind in "biu":
        return part.tolist()
    return _map(part.astype("float64").tolist(), _number)


def _map(value: Any, function: Any) -> Any:
    return [_map(v, function) for v in value] if isinstance(value, list) else function(value)


def _number(value: float) -> float | str:
    if math.isfinite(value):
        return value
    return "nan" if math.isnan(value) else ("inf" if value > 0 else "-inf")
