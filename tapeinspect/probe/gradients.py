"""Variables, their gradients, and the changes that the script's own assignments made to them."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import FrameType
from typing import TYPE_CHECKING, Any, NamedTuple
from weakref import ref

from tapeinspect.probe import magnitudes, tf_private, tf_variables
from tapeinspect.probe.names import name_in_code, variable_name
from tapeinspect.probe.values import array_of
from tapeinspect.trace.figures import BlockStats, block_stats, difference, norm_of

if TYPE_CHECKING:
    from tapeinspect.probe.sink import Sink

_DELTAS = ("AssignAddVariableOp", "AssignSubVariableOp")
_EXACT = ("float32", "float64", "complex64", "complex128")
"""Types in which a variable changes by what is added to it; smaller ones round most of it away."""


@dataclass(slots=True, eq=False)
class Known:
    """A variable, or a tensor given as a source, that some gradient was asked for."""

    id: int
    variable: Callable[[], Any] | None
    """A weak reference to the tf.Variable, to read its value; None for a tensor."""
    handle: int | None
    by_delta: bool = False
    """The last step changed it by a single assign_add or assign_sub: the op's input is the change."""


@dataclass(slots=True, eq=False)
class Change:
    """What one step did to one variable."""

    known: Known
    figures: BlockStats
    before: Any
    """Its value when the gradient was asked for; None when a single delta is expected."""
    assigns: int = 0
    by_delta: bool = False
    """A single assign_add or assign_sub made it."""
    delta: float | None = None
    complete: bool = True


class VariableTable:
    """Interns the sources of gradient calls."""

    def __init__(self) -> None:
        self.rows: list[tuple[Any, ...]] = []
        self.by_handle: dict[int, Known] = {}
        self._tensors: dict[tuple[int, int], Known] = {}
        self._named: dict[tuple[Any, ...], Known] = {}
        self._names: dict[str, int] = {}
        self._count = 0

    def intern(
        self, source: Any, frame: FrameType | None, stack: int, index: int, given: Any = None
    ) -> Known:
        """The entry of a source: a variable by its handle, a tensor by its name in a function or its place in a call.

        given: all the sources, as the call got them.
        """
        variable = tf_variable(source)
        if variable is None:
            known = self._tensors.get((stack, index))
            if known is None:
                known = self._tensors[stack, index] = self._tensor(source, frame, index, given)
            return known
        handle = variable.handle._id
        known = self.by_handle.get(handle)
        if known is None:
            name = variable_name(source, frame, given)
            known = self.by_handle[handle] = self._add(source, variable, name, handle)
        return known

    def _tensor(self, source: Any, frame: FrameType | None, index: int, given: Any) -> Known:
        name = name_in_code(source, frame, given)
        if name is None or frame is None:
            return self._add(source, None, f"source {index}", None)
        key = (name, frame.f_code.co_filename, frame.f_code, source.dtype, str(source.shape))
        known = self._named.get(key)
        if known is None:
            known = self._named[key] = self._add(source, None, name, None)
        return known

    def _add(self, source: Any, variable: Any, name: str, handle: int | None) -> Known:
        self._count += 1
        known = Known(self._count, None if variable is None else ref(variable), handle)
        count = self._names[name] = self._names.get(name, 0) + 1
        if count > 1:
            name = f"{name} ({count})"
        shape = source.shape
        dims = shape.as_list() if hasattr(shape, "as_list") and shape.rank is not None else list(shape)
        dtype = getattr(source.dtype, "name", None) or str(source.dtype)
        kind = "tensor" if variable is None else "variable"
        trainable = None if variable is None else int(bool(variable.trainable))
        self.rows.append((known.id, name, kind, dtype, json.dumps(dims), trainable, handle))
        return known


@dataclass(slots=True, eq=False)
class Updates:
    """Follows what happens to the variables of a step until the next one begins."""

    sink: Sink
    step: int | None = None
    changes: dict[int, Change] = field(default_factory=dict)

    def begin(self, step: int) -> None:
        """Another step takes gradients: finish the one before."""
        if step != self.step:
            self.finish()
            self.step = step
            self.changes = {}

    def follow(self, sources: Sequence[Known]) -> list[tuple[Known, Any]]:
        """Read those of the variables that the step is seen to use for the first time, before it changes them.

        Returns them with their values, for `measured`.
        """
        fresh = {known.handle: known for known in sources if known.handle not in self.changes}
        fresh.pop(None, None)
        read = zip(fresh.values(), _read(list(fresh.values())), strict=True)
        return [(known, value) for known, value in read if value is not None]

    def measured(self, known: Known, value: Any, array: Any, figures: BlockStats) -> None:
        """What a variable holds before the step changes it."""
        assert known.handle is not None
        if magnitudes.wanted(self.step):
            assert self.step is not None
            magnitudes.write(self.sink, self.step, known.id, "weight", array)
        elif known.by_delta:
            value = None
        self.changes[known.handle] = Change(known, figures, value)

    def on_assign(self, op_type: str, inputs: Any) -> None:
        """An op changed a variable."""
        change = self.changes.get(inputs[0]._id) if inputs else None
        if change is None:
            return
        change.assigns += 1
        change.by_delta = op_type in _DELTAS and change.assigns == 1 and inputs[1].dtype.size >= 4
        if change.by_delta:
            if change.before is None:
                change.delta = norm_of(array_of(inputs[1]))
        else:
            change.known.by_delta = False
            change.complete = change.before is not None

    def finish(self) -> None:
        """The step's variables will not change any more on its account: write what became of them."""
        if self.changes:
            changes = list(self.changes.values())
            with tf_private.tapes_paused():
                compared = [c for c in changes if c.assigns and c.complete and c.before is not None]
                after = dict(zip(compared, _read([c.known for c in compared]), strict=True))
                self.sink.add("variable_step", *[self._row(change, after.get(change)) for change in changes])

    def _row(self, change: Change, after: Any) -> tuple[Any, ...]:
        f = change.figures
        update = self._update(change, after)
        row = (f.norm, f.min, f.max, f.mean, f.nan, f.inf, f.zeros, update, change.assigns)
        return (self.step, change.known.id, *row)

    def _update(self, change: Change, after: Any) -> float | None:
        if not change.assigns or not change.complete:
            return None
        if change.before is None:
            return change.delta
        if after is None:
            return None
        change.known.by_delta = change.by_delta
        before, now = array_of(change.before), array_of(after)
        if before.shape != now.shape:
            return None
        found = difference(before, now)
        if magnitudes.wanted(self.step):
            assert self.step is not None
            magnitudes.write_update(self.sink, self.step, change.known.id, before, now, found)
        return found.norm


class Gradient(NamedTuple):
    """What a source got, before it is measured."""

    form: str
    """'dense', 'sparse' or 'none'."""
    tensor: int | None = None
    array: Any = None
    """The gradient, or the distinct rows of a sparse one; None when there is none."""
    rows: int | None = None
    size: int = 0
    """Elements of the dense gradient."""

    def figures(self, f: BlockStats | None) -> tuple[Any, ...]:
        """The columns of `gradient` from `form` on: form, tensor, norm, min, max, mean, nan, inf, zeros, rows.

        f: the figures of `array`.
        """
        if f is not None and self.rows is None:
            return (self.form, self.tensor, *f, None)
        if f is None:
            return (self.form, self.tensor, None, None, None, None, None, None, None, self.rows)
        present = self.array.size
        return (self.form, self.tensor, *_with_absent(f, present, self.size), self.rows)


def look_at(result: Any) -> Gradient:
    """A gradient as `tape.gradient` returned it."""
    if result is None:
        return Gradient("none")
    if hasattr(result, "indices") and hasattr(result, "values"):
        array, rows, size = _dense_rows(result)
        return Gradient("sparse", result.values._id, array, rows, size)
    array = array_of(result)
    return Gradient("dense", result._id, array, None, array.size)


def measure(
    gradients: Sequence[Gradient], values: Sequence[Any]
) -> tuple[list[BlockStats | None], list[tuple[Any, BlockStats]]]:
    """The figures of gradients, None for those that are none, and the array and figures of each variable's value."""
    arrays = [array_of(value) for value in values]
    of_gradients = [None if g.array is None else block_stats(g.array) for g in gradients]
    return of_gradients, [(array, block_stats(array)) for array in arrays]


def _with_absent(f: BlockStats, present: int, size: int) -> tuple[Any, ...]:
    """The figures of the dense gradient: the rows that a sparse one leaves out are zero."""
    absent = size - present
    if absent <= 0 or not size:
        return (f.norm, f.min, f.max, f.mean, f.nan, f.inf, f.zeros)
    low = 0.0 if f.min is None else min(f.min, 0.0)
    high = 0.0 if f.max is None else max(f.max, 0.0)
    finite = present - f.nan - f.inf
    mean = (f.mean or 0.0) * finite / (finite + absent)
    return (f.norm, low, high, mean, f.nan, f.inf, (f.zeros * present + absent) / size)


def _dense_rows(slices: Any) -> tuple[Any, int, int]:
    """The distinct rows of an IndexedSlices with duplicates summed, their number, and the dense gradient's size."""
    import numpy as np

    indices, values = array_of(slices.indices), array_of(slices.values)
    unique, inverse = np.unique(indices, return_inverse=True)
    if len(unique) != len(indices):
        wide = values if values.dtype.itemsize > 2 or values.dtype.kind == "c" else values.astype(np.float32)
        total = np.zeros((len(unique), *values.shape[1:]), wide.dtype)
        np.add.at(total, inverse.reshape(-1), wide)
        values = total
    shape = slices.dense_shape
    size = values.size
    if shape is not None:
        size = math.prod(int(d) for d in array_of(shape).ravel())
    return values, len(unique), size


def tf_variable(source: Any) -> Any:
    """The tf.Variable behind a source: itself, or the one inside Keras' wrapper; None for a tensor."""
    inner = getattr(source, "_value", source)
    for candidate in (inner, source):
        if hasattr(candidate, "read_value") and hasattr(candidate, "handle"):
            try:
                if hasattr(candidate.handle, "_id"):
                    return candidate
            except (ValueError, AttributeError):  # a distributed variable has one handle for each replica
                return None
    return None


def _read(known: Sequence[Known]) -> list[Any]:
    """The values of variables, while no tape looks; None for one that cannot be read, or is no more."""
    if not known:
        return []
    variables = [None if k.variable is None else k.variable() for k in known]
    alive = [variable for variable in variables if variable is not None]
    read = iter(tf_variables.read_variables([(v.handle, v.dtype) for v in alive]))
    return [None if variable is None else next(read) for variable in variables]
