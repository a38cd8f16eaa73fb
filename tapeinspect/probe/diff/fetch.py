"""What each op of a graph gives, fetched from the graph that was traced: nothing is added to it.

That goes for the step's own graph. Bodies of loops and branches, and functions that it calls, keep what is in them to
themselves: `tapeinspect.probe.diff.watch.GraphWatch` sees into those, at the price of a trace of its own.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from tapeinspect.probe import tf_outputs, tf_private
from tapeinspect.probe.diff.align import RanOp
from tapeinspect.probe.diff.runs import Runner, Side
from tapeinspect.probe.diff.watch import (
    Budget,
    GraphWatch,
    Places,
    Where,
    frames_of,
    has_value,
    is_listed,
    is_static,
    is_unseen,
    mapped_stack,
    ran,
)
from tapeinspect.probe.tf_state import EqualSeeds

_MOST: Final = 1 << 30
"""Bytes that are fetched at once, at most: all of it is held at the end of the run."""


@dataclass(frozen=True, slots=True)
class _Listed:
    """An op of the graph. Tensors are those of the graph."""

    type: str
    inputs: tuple[Any, ...]
    outputs: tuple[Any, ...]
    where: Where | None
    """None: its outputs tell."""


@dataclass(slots=True, eq=False)
class GraphList:
    """Lists the ops of the step's own graph as they are traced; of several traces, of the last."""

    places: Places
    nested: bool = False
    """Other graphs are a part of it, with ops that it cannot give the values of."""
    seconds: float = 0.0
    """Spent on listing."""
    _listed: list[_Listed] = field(default_factory=list)
    _graph: Any = None

    @contextmanager
    def tracing(self) -> Iterator[None]:
        """What is traced inside is listed."""
        import tensorflow as tf

        self._listed, self.nested, self._graph = [], False, tf.compat.v1.get_default_graph()
        with tf_private.op_callback(self._op):
            yield

    def _op(
        self, op_type: Any, inputs: Any, attrs: Any, outputs: Any, op_name: Any = None, graph: Any = None
    ) -> None:
        begun = time.perf_counter()
        if graph is self._graph:
            self._list(op_type, inputs, outputs)
        elif graph is not None:
            self.nested = True
        self.seconds += time.perf_counter() - begun

    def _list(self, op_type: Any, inputs: Any, outputs: Any) -> None:
        name = op_type.decode() if isinstance(op_type, bytes) else op_type
        if not is_unseen(name):
            where = None if outputs else self.places.of_frames(mapped_stack())
            self._listed.append(_Listed(name, tuple(inputs), tuple(outputs), where))

    @property
    def can_be_fetched(self) -> bool:
        """Whether one run can give the values of all ops."""
        known = tf_private.available().get(tf_outputs.CAPABILITY)
        return bool(known) and not self.nested and sum(_size_of(tensor) for tensor in self.tensors) <= _MOST

    def is_of(self, concrete: Any) -> bool:
        """Whether the ops are those of a traced function."""
        return concrete is not None and concrete.graph is self._graph

    @property
    def tensors(self) -> list[Any]:
        """The graph's tensors whose values tell what the ops gave."""
        return [t for op in self._listed if _has_values(op) for t in op.outputs]

    def ops(self, values: list[Any], budget: Budget) -> list[RanOp]:
        """The ops in the order of the program. values: those of `tensors`, as arrays."""
        static: set[int] = set()
        made: dict[int, tuple[RanOp, int]] = {}
        left = iter(values)
        found = []
        for op in self._listed:
            known = is_static(op.type, [id(t) in static for t in op.inputs], op.outputs)
            if known:
                static.update(id(t) for t in op.outputs)
            if not is_listed(op.type):
                continue
            arrays = [next(left) for _ in op.outputs] if _has_values(op) else []
            given = tuple(last for t in op.inputs if (last := made.get(id(t))) is not None)
            found.append(ran(op.type, self._where(op), arrays, budget, known, 0, given))
            if arrays:
                made.update((id(t), (found[-1], number)) for number, t in enumerate(op.outputs))
        return found

    def _where(self, op: _Listed) -> Where:
        return op.where or self.places.of_frames(frames_of(op.outputs[0].op.traceback or ()))


def traced_ops(
    runner: Runner, traced: Side, listed: GraphList, seeds: EqualSeeds, memory: int
) -> list[RanOp] | BaseException:
    """The ops of a call of the traced step with what they gave, or what that call raised.

    traced: the step as it was traced, its ops in `listed`. memory: bytes of values that may be kept.
    """
    import numpy as np

    if listed.can_be_fetched:
        try:
            concrete = traced.concrete()
            if listed.is_of(concrete):
                fetched = runner.once(seeds, tf_outputs.giving(concrete, listed.tensors))
                arrays = [np.asarray(tf_private.view(tensor)) for tensor in fetched]
                return listed.ops(arrays, Budget(memory))
        except Exception:  # what a trace that is watched tells better
            pass
    watch = GraphWatch(runner.places, Budget(memory))
    side = runner.traced(seeds, 1, watch)
    return watch.ops if side.error is None else side.error


def _has_values(op: _Listed) -> bool:
    return is_listed(op.type) and all(map(has_value, op.outputs))


def _size_of(tensor: Any) -> int:
    """Bytes of a tensor of the graph, 0 where its shape is not known."""
    shape = tensor.shape.as_list() if tensor.shape.rank is not None else [None]
    return 0 if None in shape else math.prod(shape) * int(tensor.dtype.size)
