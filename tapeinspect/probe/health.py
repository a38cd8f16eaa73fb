"""The figures of an op's outputs beyond the quick one that the callback takes itself."""

from __future__ import annotations

import math
import sys
from typing import Any

from tapeinspect.probe import tf_private, values
from tapeinspect.probe.held import Held
from tapeinspect.probe.origins import Origins
from tapeinspect.probe.sink import NORM, WIDTH, Sink
from tapeinspect.probe.sites import FLOATS, Site
from tapeinspect.trace.figures import block_stats, norm_of

_SAVED_BYTES = 32 << 20
_SAVED_TENSOR = 1 << 20


class Health:
    """Measures tensors and writes down what is worth a row. The caller serialises."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._origins = Origins(sink)
        self._elsewhere: list[tuple[int, int, int, Any, Any]] = []
        """(op, slot, tensor id, half the squares, counts) of outputs on other devices, not waited for yet."""

    def closely(self, tensor: Any) -> float | None:
        """A tensor's norm when the quick sum overflowed; None, and a row, when it holds NaN or Inf."""
        f = block_stats(values.array_of(tensor))
        if f.norm is None:
            self._sink.add("health", (tensor._id, self._sink.next_op(), f.nan, f.inf, None))
            self._origins.bad(tensor, sys._getframe(1))
            return None
        return f.norm

    def every(self, site: Site, outputs: Any) -> float | None:
        """Measure all float outputs of an op; the norm of the first one."""
        first: float | None = None
        for slot, (tensor, dtype) in enumerate(zip(outputs, site.dtypes, strict=True)):
            if dtype not in FLOATS:
                continue
            norm = norm_of(tf_private.view(tensor))
            if norm is None:
                self.closely(tensor)
            elif slot == 0:
                first = norm
            else:
                self._sink.add("health", (tensor._id, self._sink.next_op(), 0, 0, norm))
        return first

    def elsewhere(self, site: Site, outputs: Any) -> None:
        """Have the float outputs of an op measured on the device they lie on; `settle` takes the figures."""
        op = self._sink.next_op()
        with tf_private.tapes_paused():
            for slot, (tensor, dtype) in enumerate(zip(outputs, site.dtypes, strict=True)):
                if dtype in FLOATS and not dtype.startswith("complex"):
                    self._elsewhere.append((op, slot, tensor._id, *tf_private.summarize(tensor)))

    def settle(self) -> None:
        """Take the figures of outputs on other devices, before their ops are written."""
        sink = self._sink
        for op, slot, tensor, half, counts in self._elsewhere:
            _, _, low, high, nan = values.array_of(counts).tolist()
            squares = 2.0 * float(values.array_of(half))
            norm = None if low or high or nan else math.sqrt(squares)
            if slot == 0 and norm is not None and norm < math.inf:
                sink.buffer[(op - sink.written - 1) * WIDTH + NORM] = norm
            else:
                sink.add(
                    "health", (tensor, op, int(nan), int(low + high), norm if norm != math.inf else None)
                )
        self._elsewhere.clear()

    def keep(self, outputs: Any, step: int | None) -> None:
        """Write the full figures of each output, and its value when it is not too large."""
        op = self._sink.next_op()
        for tensor in outputs:
            dtype = tensor.dtype.name
            if dtype in ("resource", "variant"):
                continue
            array = values.array_of(tensor)
            if dtype != "string":
                self._sink.add("stats", values.stats_row(tensor, array))
            if array.nbytes <= _SAVED_TENSOR:
                self._sink.add("value", values.value_row(tensor, array, op, step))

    def save_held(self, held: Held, limit: int, step: int | None) -> None:
        """Write the values of the tensors that are still alive, the newest first, within a limit of bytes."""
        left = min(_SAVED_BYTES, limit)
        for tensor in held.newest():
            if tensor.dtype.name in ("resource", "variant"):
                continue
            array = values.array_of(tensor)
            if array.nbytes > _SAVED_TENSOR:
                continue
            left -= array.nbytes + 64
            if left < 0:
                return
            self._sink.add("value", values.value_row(tensor, array, None, step))
