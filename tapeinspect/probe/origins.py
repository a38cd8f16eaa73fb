"""What an op was given that made the first NaN or Inf: looked at at once, since inputs do not stay.

Most bad outputs come from bad inputs. Only an op none of whose inputs is known to be bad is worth a look, and only so
often for one place in the code: a mask of -inf comes back in every batch.
"""

from __future__ import annotations

import json
import math
from types import FrameType
from typing import Any, Final

from tapeinspect.probe import values
from tapeinspect.probe.sink import Sink
from tapeinspect.probe.sites import FLOATS
from tapeinspect.trace.figures import block_stats

_PER_SITE: Final = 10
_IN_ALL: Final = 2_000
_ELEMENTS: Final = 5
_REMEMBERED: Final = 50_000
_LARGEST: Final = 1 << 24
"""Elements up to which an input is looked at."""

_ELEMENTWISE: Final = frozenset(
    {
        "Acos", "Acosh", "Add", "AddV2", "Asin", "Asinh", "Atan2", "Atanh", "Cast", "Cosh", "Digamma", "Div",
        "DivNoNan", "Exp", "Expm1", "InvGrad", "Inv", "Lgamma", "Log", "Log1p", "Maximum", "Minimum", "Mod",
        "Mul", "MulNoNan", "Neg", "Pow", "RealDiv", "Reciprocal", "ReciprocalGrad", "Rsqrt", "RsqrtGrad",
        "SelectV2", "SigmoidGrad", "Sinh", "Softplus", "SoftplusGrad", "Sqrt", "SqrtGrad", "Square", "Sub",
        "SquaredDifference", "Tan", "TanhGrad", "Xdivy", "Xlog1py", "Xlogy",
    }
)  # fmt: skip
"""Types whose output's element at an index is made of the inputs' elements at that index, after broadcasting."""


class Origins:
    """Writes rows of `origin`. The caller serialises."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._bad: set[int] = set()
        """Tensors known to hold NaN or Inf; may forget, which costs a look and no more."""
        self._noted: dict[int, int] = {}
        self._left = _IN_ALL

    def bad(self, tensor: Any, frame: FrameType | None) -> None:
        """An output of the op that has just run holds NaN or Inf. `frame`: of the op callback, or called by it."""
        if len(self._bad) > _REMEMBERED:
            self._bad.clear()
        known = self._bad
        known.add(tensor._id)
        called = _callback(frame)
        if called is None:
            return
        inputs, site = called
        if self._left <= 0 or self._noted.get(site.id, 0) >= _PER_SITE:
            return
        if any(given._id in known for given in inputs):
            return
        arrays = [_array(given) for given in inputs]
        if all(array is None for array in arrays):
            return
        self._noted[site.id] = self._noted.get(site.id, 0) + 1
        self._left -= 1
        figures = [_figures(given, array) for given, array in zip(inputs, arrays, strict=True)]
        elements = _elements(values.array_of(tensor), arrays) if site.type in _ELEMENTWISE else []
        row = (self._sink.next_op(), tensor._id, json.dumps(figures), json.dumps(elements))
        self._sink.add("origin", row)


def _callback(frame: FrameType | None) -> tuple[Any, Any] | None:
    """Inputs and site of the op that the callback is busy with.

    They are taken from its frame: it hands them on to nobody, and a parameter for the one op in a million would be
    paid for by all.
    """
    for _ in range(3):
        if frame is None:
            return None
        if frame.f_code.co_name == "on_op":
            names = frame.f_locals
            inputs, site = names.get("inputs"), names.get("found")
            return None if inputs is None or site is None else (inputs, site)
        frame = frame.f_back
    return None


def _array(tensor: Any) -> Any:
    """The value of a float tensor; None for others and for what is too large to look at."""
    if tensor.dtype.name not in FLOATS or tensor.shape.num_elements() > _LARGEST:
        return None
    return values.array_of(tensor)


def _figures(tensor: Any, array: Any) -> dict[str, Any]:
    known = {"tensor": tensor._id, "dtype": tensor.dtype.name, "shape": tensor.shape.as_list()}
    if array is None:
        return known
    f = block_stats(array)
    return {
        **known, "nan": f.nan, "inf": f.inf, "zeros": f.zeros, "min": f.min, "max": f.max, "norm": f.norm,
    }  # fmt: skip


def _elements(output: Any, inputs: list[Any]) -> list[dict[str, Any]]:
    """The first elements that are bad, with the inputs' elements that they were made of."""
    import numpy as np

    if any(array is None for array in inputs) or output.dtype.kind == "c":
        return []
    try:
        wide = [np.broadcast_to(array, output.shape) for array in inputs]
    except ValueError:
        return []
    bad = np.flatnonzero(~np.isfinite(output))[:_ELEMENTS]
    places = [tuple(int(axis) for axis in np.unravel_index(at, output.shape)) for at in bad]
    return [
        {
            "index": list(at),
            "inputs": [_number(array[at]) for array in wide],
            "output": _number(output[at]),
        }
        for at in places
    ]


def _number(value: Any) -> float | str:
    plain = float(value)
    if math.isfinite(plain):
        return plain
    return "nan" if math.isnan(plain) else ("inf" if plain > 0 else "-inf")
