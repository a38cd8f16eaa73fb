"""What findings need beyond ops and gradients: the range of data and labels, and how activations fare.

Taken on a few batches only: the 1st, 2nd, 4th, 8th … of each kind of step, and every 64th. There a second op callback
keeps references to the tensors in question while a tape is open; their figures are worked out when it has closed.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from tapeinspect.probe import tf_layers, tf_private, values
from tapeinspect.probe.names import variable_name
from tapeinspect.trace.figures import block_stats

if TYPE_CHECKING:
    from tapeinspect.probe.recorder import Recorder
    from tapeinspect.probe.steplog import Step
    from tapeinspect.probe.threads import ThreadState

EVERY: Final = 64
_ELEMENTS: Final = 1 << 20
"""Elements of a tensor that are looked at; of a larger one, its first rows."""
_WAITING: Final = 64 << 20
"""Bytes of tensors that may be kept alive until the tape closes."""

_RELUS: Final = frozenset({"Relu", "Relu6"})
_SQUASHING: Final = {"Sigmoid": (0.01, 0.99), "Tanh": (-0.99, 0.99)}
"""Outputs outside of these count as saturated: the slope there is below 4 % of the steepest."""
_OUTPUTS: Final = frozenset({*_RELUS, *_SQUASHING, "Rsqrt"})
_INPUTS: Final = {
    "SparseSoftmaxCrossEntropyWithLogits": (0, 1),
    "SoftmaxCrossEntropyWithLogits": (0, 1),
    "Minimum": (0, 1),
    "Maximum": (0, 1),
    "OneHot": (0,),
    "FusedBatchNormV3": (3, 4),
}
_PRODUCTS: Final = frozenset({"MatMul", "Conv2D", "Conv1D", "Einsum", "BatchMatMulV2"})
_CALLS: Final = 8
"""Ops of a step whose stack is searched for a model that is called without `training`."""
_NO_DATA: Final = ("ReadVariableOp", "ResourceGather", "VarHandleOp", "Random", "Stateless")


@dataclass(slots=True, eq=False)
class _Sampled:
    """A step that is looked at."""

    step: int
    key: Any
    made: set[int] = field(default_factory=set)
    """Ids of the tensors that its ops made, and of those looked at already."""
    waiting: list[tuple[Any, ...]] = field(default_factory=list)
    bytes: int = 0
    relus: int = 0
    searched: int = 0
    idle: set[int] = field(default_factory=set)
    """Ids of the models whose dropout was found to be off."""


class Samples:
    """Looks at some steps more closely. The caller serialises."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._counts: Counter[Any] = Counter()
        self._last: dict[int, tuple[int, _Sampled | None]] = {}
        """For each thread, its last step and what is known of it when it is looked at."""
        self._callbacks: dict[int, Any] = {}
        """By thread, those that are in place."""
        self._alive: dict[Any, Any] = {}
        """For each ReLU, which units have been above zero in a batch that was looked at, and of how many examples."""
        self._named: set[int] = set()

    def opened(self, state: ThreadState) -> None:
        """A tape has been opened: look at the step's ops until it closes, if it is the step's turn."""
        step = state.tracker.step
        if step is None or self._recorder.config.values == "off" or state.id in self._callbacks:
            return
        sampled = self._turn(state, step)
        if sampled is not None:
            callback = _make_callback(self._recorder, self, state, sampled)
            self._callbacks[state.id] = callback
            tf_private.add_op_callback(callback)

    def _turn(self, state: ThreadState, step: Step) -> _Sampled | None:
        last = self._last.get(state.id)
        if last is not None and last[0] == step.id:
            return last[1]
        key = (step.code, id(step.loop))
        self._counts[key] += 1
        count = self._counts[key]
        due = count % EVERY == 0 or (count < EVERY and count & (count - 1) == 0)
        sampled = _Sampled(step.id, key) if due else None
        self._last[state.id] = (step.id, sampled)
        return sampled

    def closed(self, state: ThreadState, tape: Any, frame: Any) -> None:
        """A tape has been closed."""
        if state.id not in self._callbacks:
            return
        sampled = self._last[state.id][1]
        assert sampled is not None
        self._note_watched(sampled, tape, frame)
        if not state.tapes:
            tf_private.remove_op_callback(self._callbacks.pop(state.id))
            self.work(sampled)

    def detach(self, thread: int) -> None:
        """Take the callback out of the thread that runs, when a tape was left open."""
        callback = self._callbacks.pop(thread, None)
        if callback is not None:
            tf_private.remove_op_callback(callback)

    def _note_watched(self, sampled: _Sampled, tape: Any, frame: Any) -> None:
        for variable in tape.watched_variables():
            handle = getattr(getattr(variable, "handle", None), "_id", None)
            if handle is None or handle in self._named:
                continue
            self._named.add(handle)
            shape = json.dumps(variable.shape.as_list()) if variable.shape.rank is not None else "null"
            row = (handle, sampled.step, variable_name(variable, frame, None), variable.dtype.name, shape)
            self._recorder.sink.add("watched", (*row, int(bool(variable.trainable))))

    def note_idle(self, sampled: _Sampled, frame: Any) -> None:
        """Take down a model that is called without `training`, so that the dropout in it does nothing."""
        sampled.searched += 1
        found = tf_layers.idle_dropouts(frame)
        if found is None or id(found[0]) in sampled.idle:
            return
        layer, dropouts = found
        sampled.idle.add(id(layer))
        handles = (getattr(getattr(v, "_value", v), "handle", None) for v in layer.trainable_variables)
        ids = [handle._id for handle in handles if handle is not None and hasattr(handle, "_id")]
        names, rate = json.dumps([name for name, _ in dropouts]), max(rate for _, rate in dropouts)
        row = (sampled.step, self._recorder.sink.count, layer.name, names, rate, json.dumps(ids))
        self._recorder.sink.add("idle_dropout", row)

    def work(self, sampled: _Sampled) -> None:
        """Work out the figures of the tensors that wait."""
        waiting, sampled.waiting, sampled.bytes = sampled.waiting, [], 0
        for op, place, op_type, tensor in waiting:
            self._recorder.sink.add("sample", self._row(sampled, op, place, op_type, tensor))

    def _row(self, sampled: _Sampled, op: int, place: int, op_type: str, tensor: Any) -> tuple[Any, ...]:
        array = _beginning(values.array_of(tensor))
        f = block_stats(array)
        row = (sampled.step, op, place, tensor._id, tensor.dtype.name, json.dumps(tensor.shape.as_list()))
        figures = (f.min, f.max, f.mean, f.zeros, f.nan + f.inf)
        units = dead = examples = saturated = None
        if place >= 0 and op_type in _RELUS and array.ndim >= 2:
            units, dead, examples = self._units(sampled, array)
        elif place >= 0 and op_type in _SQUASHING and array.size:
            low, high = _SQUASHING[op_type]
            saturated = float(((array < low) | (array > high)).mean())
        return (*row, *figures, units, dead, examples, saturated)

    def _units(self, sampled: _Sampled, array: Any) -> tuple[int, int, int]:
        """Units of a ReLU (its last axis), those never above zero so far, and the outputs of each looked at."""
        flat = array.reshape(-1, array.shape[-1])
        alive = (flat > 0).any(axis=0)
        key = (sampled.key, sampled.relus, len(alive))
        sampled.relus += 1
        before = self._alive.get(key)
        examples = len(flat)
        if before is not None:
            alive, examples = alive | before[0], examples + before[1]
        self._alive[key] = (alive, examples)
        return len(alive), int((~alive).sum()), examples


def _beginning(array: Any) -> Any:
    """The array, or as many of its first rows as are looked at."""
    if array.size <= _ELEMENTS or array.ndim == 0:
        return array
    return array[: max(1, _ELEMENTS * len(array) // array.size)]


def _make_callback(recorder: Recorder, samples: Samples, state: ThreadState, sampled: _Sampled) -> Any:
    sink, made = recorder.sink, sampled.made
    possible = tf_private.possible_gradient_types()

    def keep(place: int, op_type: str, tensor: Any) -> None:
        size = tensor.shape.num_elements()
        if size and (tensor.dtype.is_floating or tensor.dtype.is_integer):
            sampled.waiting.append((sink.count, place, op_type, tensor))
            sampled.bytes += tensor.dtype.size * size

    def look(op_type: str, inputs: Any, outputs: Any) -> None:
        wanted = _INPUTS.get(op_type, ())
        for index, tensor in enumerate(inputs):
            if tensor._id not in made:
                made.add(tensor._id)  # from outside of the step
                keep(-1 - index, op_type, tensor)
            elif index in wanted:
                keep(-1 - index, op_type, tensor)
        made.update([tensor._id for tensor in outputs])
        if op_type in _PRODUCTS and sampled.searched < _CALLS:
            samples.note_idle(sampled, sys._getframe(3))
        if op_type in _OUTPUTS:
            keep(0, op_type, outputs[0])
        elif outputs and not op_type.startswith(_NO_DATA) and not possible(tuple(inputs)):
            keep(0, op_type, outputs[0])  # no variable is in it: data, or labels
        if sampled.bytes > _WAITING:
            samples.work(sampled)

    def on_op(
        op_type: Any, inputs: Any, attrs: Any, outputs: Any, op_name: Any = None, graph: Any = None
    ) -> None:
        if graph is None and outputs is not None and not state.calls and not state.busy and not recorder.off:
            name = op_type.decode() if isinstance(op_type, bytes) else op_type
            recorder.guarded("samples", look, name, inputs, outputs)

    return on_op
