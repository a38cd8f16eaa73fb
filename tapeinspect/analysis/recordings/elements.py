"""Compares the values themselves of two recordings, element by element, where both hold them."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress

from tapeinspect.errors import TraceError
from tapeinspect.trace.distance import EQUAL, GRADIENT_SHARE, Distance, distance
from tapeinspect.trace.reader import TraceReader
from tapeinspect.trace.records import Gradient, OpRow, Value


class Elements:
    """The values of one batch in two recordings."""

    def __init__(self, first: TraceReader, second: TraceReader, step: int, tolerance: float | None) -> None:
        """tolerance: relative difference taken for rounding, by dtype when None."""
        self._readers = (first, second)
        self._tolerance = tolerance
        self._outputs: tuple[Mapping[int, int], Mapping[int, int]] = ({}, {})
        mine = first.stored_outputs(step)
        if mine:
            self._outputs = (mine, second.stored_outputs(step))

    def of_ops(self, first: OpRow, second: OpRow) -> Distance | None:
        """How far the first outputs of two ops are apart; None when a recording does not hold one of them."""
        tensors = (self._outputs[0].get(first.id), self._outputs[1].get(second.id))
        return self._apart(*tensors, None)

    def of_gradients(self, first: Gradient, second: Gradient, norm: float) -> Distance | None:
        """The same of two gradients, judged against the norm of all gradients too, as the noise in small ones is."""
        if first.form != "dense" or second.form != "dense":
            return None
        return self._apart(first.tensor, second.tensor, GRADIENT_SHARE * norm)

    def _apart(self, first: int | None, second: int | None, scale: float | None) -> Distance | None:
        if first is None or second is None:
            return None
        a, b = self._value(0, first), self._value(1, second)
        if a is None or b is None:
            return None
        if a == b:
            return EQUAL
        if a.spec != b.spec:
            return Distance(None, None, None, "real")
        from tapeinspect.trace.figures import array_of  # loads NumPy, needed for nothing else here

        with suppress(ValueError):  # not of numbers
            return distance(array_of(a), array_of(b), self._tolerance_of(a.spec.dtype), scale)
        return Distance(None, None, None, "real")

    def _tolerance_of(self, dtype: str) -> float | None:
        from tapeinspect.trace.distance import TOLERANCE

        # bfloat16 comes as float32
        return TOLERANCE[dtype] if self._tolerance is None and dtype == "bfloat16" else self._tolerance

    def _value(self, which: int, tensor: int) -> Value | None:
        try:
            return self._readers[which].value(tensor)
        except TraceError:  # damaged: its norm is there all the same
            return None
