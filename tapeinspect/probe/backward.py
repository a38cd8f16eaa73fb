"""Hears of each op that a tape takes backward, and of each sum of gradients it makes.

A row costs a few microseconds: the ids of the gradients and the op they belong to. Who passed what to whom, and how
healthy it was, is worked out when somebody looks (`tapeinspect.trace.backward`).

The tape keeps the very tuple of attributes that the op callback was given, and hands it to the gradient function: so
long as it lives its address names the op, whatever tensors the tape has let go.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from tapeinspect.probe import failures, tf_private, values
from tapeinspect.probe.sink import OUTPUT, WIDTH
from tapeinspect.probe.sites import FLOATS
from tapeinspect.trace.figures import block_stats, norm_of

if TYPE_CHECKING:
    from tapeinspect.probe.recorder import Recorder
    from tapeinspect.probe.threads import ThreadState

_Begun: TypeAlias = "tuple[int, int | None, int, int, int]"
"""A backward call that runs: its number, the one around it, its first op, what recording had spent, when."""

_MARKED: Final = (None, None)
_MARKS: Final = 100_000
_SMALL: Final = 1024
"""The most elements of a gradient that no op made and that is measured all the same."""

_NEAR: Final = 64
"""How many ops before a function with a gradient of its own was recorded its output is looked for."""


class BackwardLog:
    """What was taken backward and waits to be written."""

    def __init__(self, recorder: Recorder) -> None:
        self.marks: dict[int, int] = {}
        """Op by the address of its attributes, of the ops that a tape recorded."""
        self.rows: list[Any] = []
        """Columns of the table `backward`, one row after the other."""
        self._recorder = recorder
        self._numbers = itertools.count(1)

    def flush(self) -> None:
        """Write what waits. Raises TapeinspectError."""
        if self.rows:
            self._recorder.sink.writer.insert_flat("backward", self.rows)
            self.rows.clear()
        if len(self.marks) > _MARKS:
            newest = sorted(self.marks.items(), key=lambda mark: mark[1])[-_MARKS // 2 :]
            self.marks.clear()
            self.marks.update(newest)

    def number(self) -> int:
        """The id of the next row."""
        return next(self._numbers)

    def maker(self, tensor: int) -> int | None:
        """The op that made a tensor a moment ago; None when it is not among the last ones."""
        sink = self._recorder.sink
        with self._recorder.lock:
            made = sink.buffer[OUTPUT::WIDTH][-_NEAR:]
            if tensor in made:
                return sink.count - list(reversed(made)).index(tensor)
        return None


class BackwardHooks:
    """The wrappers around what a tape calls on its way back."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._log = recorder.backward_log
        self._rows = self._log.rows
        self._undo: list[Callable[[], None]] = []
        self._eager = tf_private.eager_tensor()
        self._clock = time.perf_counter_ns
        self._off = False

    def install(self) -> None:
        """Begin to listen."""
        function, space = tf_private.gradient_function(), tf_private.vector_space()
        tf_private.register_gradient_function(self._around_op(function))
        self._undo.append(lambda: tf_private.register_gradient_function(function))
        tf_private.register_vector_space(
            space._replace(
                aggregate_fn=self._around_sum(space.aggregate_fn), ones_fn=self._around_ones(space.ones_fn)
            )
        )
        self._undo.append(lambda: tf_private.register_vector_space(space))
        module = tf_private.record_module()
        original = module.record_operation
        module.record_operation = self._around_record(original)
        self._undo.append(lambda: setattr(module, "record_operation", original))

    def remove(self) -> None:
        """Put TensorFlow's own functions back."""
        while self._undo:
            self._undo.pop()()

    def _around_op(self, original: Callable[..., Any]) -> Callable[..., Any]:
        """The function that a tape calls for each op."""
        state_of, begin, end, marks = self._state, self._begin, self._end, self._log.marks

        def gradient_function(*args: Any) -> Any:
            state = state_of()
            if state is None:
                return original(*args)
            begun = begin(state)
            try:
                result = original(*args)
            except BaseException:
                self._failed(state, begun)
                raise
            type, attrs, _, inputs, outputs, gradients = args[:6]
            op = marks.get(id(attrs)) if attrs else None
            kept = _MARKED if op is not None else (_kept(outputs, len(gradients)), _kept(inputs, 1))
            end(state, begun, (type, op), gradients, result, kept)
            return result

        return gradient_function

    def _around_record(self, original: Callable[..., Any]) -> Callable[..., Any]:
        """What records a function that has a gradient of its own: a custom gradient, a tf.function."""
        log, eager = self._log, self._eager
        present, guarded = self._recorder.present, self._recorder.guarded
        recording = tf_private.record_module().could_possibly_record

        def record_operation(
            op_type: Any,
            output_tensors: Any,
            input_tensors: Any,
            backward_function: Any,
            *rest: Any,
            **named: Any,
        ) -> Any:
            made: Any = output_tensors[0] if len(output_tensors) else None
            if type(made) is eager and recording() and present() is not None:
                kept = (_kept(output_tensors, 0), _kept(input_tensors, 0))
                makers = [log.maker(tensor._id) for tensor in output_tensors]
                backward_function = self._around_own(backward_function, (op_type, makers[0]), kept)
                guarded("backward", self._note_recorded, makers, input_tensors, output_tensors)
            return original(op_type, output_tensors, input_tensors, backward_function, *rest, **named)

        return record_operation

    def _around_own(
        self, original: Callable[..., Any], forward: tuple[Any, int | None], kept: tuple[str, str]
    ) -> Callable[..., Any]:
        """The backward function of something recorded as a whole."""

        def backward_function(*gradients: Any) -> Any:
            state = self._state()
            if state is None:
                return original(*gradients)
            begun, newest = self._begin(state), self._newest()
            try:
                result = original(*gradients)
            except BaseException:
                self._failed(state, begun)
                raise
            self._end(state, begun, forward, gradients, result, kept)
            self._recorder.guarded("backward", self._note_constants, newest, result)
            return result

        return backward_function

    def _around_ones(self, original: Callable[..., Any]) -> Callable[..., Any]:
        """The function that gives the gradient a target begins with."""

        def ones(*args: Any) -> Any:
            newest = self._newest()
            result = original(*args)
            if self._state() is not None:
                self._recorder.guarded("backward", self._note_constants, newest, result)
            return result

        return ones

    def _around_sum(self, original: Callable[..., Any]) -> Callable[..., Any]:
        """The function that a tape calls to sum the gradients of one tensor."""

        def aggregate(gradients: Any) -> Any:
            state = self._state() if len(gradients) > 1 else None
            if state is None:
                return original(gradients)
            first = self._recorder.sink.count + 1
            result = original(gradients)
            self._recorder.guarded("backward", self._note_sum, state.call, first, result, gradients)
            return result

        return aggregate

    def _note_recorded(self, makers: list[int | None], inputs: Any, outputs: Any) -> None:
        """The tapes record something as a whole, whose ops ran while they were made not to."""
        recorder = self._recorder
        tapes = recorder.tape_log.record_whole(recorder.state().tapes, inputs, outputs)
        for op in makers if tapes else ():
            if op is not None:
                recorder.sink.set_tape(op, tapes[0])
                recorder.sink.add("op_tape", *((op, tape) for tape in tapes[1:]))

    def _newest(self) -> int:
        return self._recorder.guarded("backward", self._recorder.sink.newest_output) or 0

    def _note_constants(self, newest: int, result: Any) -> None:
        """Measure small gradients that no op made, which nobody else hears of. newest: the output made before."""
        sink = self._recorder.sink
        if self._recorder.config.values == "off":
            return
        newest, made = max(newest, sink.newest_written), sink.outputs()
        for tensor in result if isinstance(result, (list, tuple)) else (result,):
            if type(tensor) is not self._eager or tensor._id <= newest or tensor._id in made:
                continue
            if tensor.dtype.name in FLOATS:
                array = values.array_of(tensor)
                if array.size <= _SMALL:
                    norm = norm_of(array)
                    f = None if norm is not None else block_stats(array)
                    bad = (f.nan, f.inf, f.norm) if f else (0, 0, norm)
                    sink.add("health", (tensor._id, -sink.count, *bad))

    def _note_sum(self, call: int, first: int, result: Any, gradients: Any) -> None:
        made, parts = self._references((result,)), self._references(gradients)
        tensor = getattr(getattr(result, "values", result), "_id", None)
        if made is not None and parts is not None and tensor is not None:
            sink = self._recorder.sink
            sink.add("gradient_sum", (tensor, call, first, sink.count, parts))

    def _state(self) -> ThreadState | None:
        """The thread that runs, when a gradient call runs in it."""
        state = self._recorder.present()
        return None if state is None or state.call is None or self._off else state

    def _begin(self, state: ThreadState) -> _Begun:
        """Something is taken backward."""
        recorder = self._recorder
        begun = (self._log.number(), state.backward, recorder.sink.count + 1, recorder.spent, self._clock())
        state.backward = begun[0]
        return begun

    def _failed(self, state: ThreadState, begun: _Begun) -> None:
        """A gradient function raised."""
        state.backward = begun[1]
        failures.strip_when_uncaught()

    def _end(
        self,
        state: ThreadState,
        begun: _Begun,
        forward: tuple[Any, int | None],
        gradients: Sequence[Any],
        result: Any,
        kept: tuple[str | None, str | None],
    ) -> None:
        """A gradient function returned: write a row about it."""
        recorder, ended = self._recorder, self._clock()
        number, parent, first, spent, at = begun
        state.backward = parent
        took = max(0, ended - at - (recorder.spent - spent))
        try:
            came = self._references(gradients)
            went = self._references(result if isinstance(result, (list, tuple)) else (result,))
            if came is None or went is None:
                return
            with recorder.lock:
                self._rows.extend((
                    number, state.call, parent, state.tracker.current, state.id, *forward, first,
                    recorder.sink.count, took, came, went, *kept,
                ))  # fmt: skip
                recorder.spent += self._clock() - ended
        except Exception as error:
            self._off = True
            recorder.trouble("backward", error)

    def _references(self, gradients: Sequence[Any]) -> str | None:
        """JSON text that names the gradients; None while a function is traced: those are no values."""
        eager = self._eager
        names = []
        for gradient in gradients:
            if type(gradient) is eager:
                names.append(str(gradient._id))
            elif gradient is None:
                names.append("null")
            else:
                rows = getattr(gradient, "values", gradient)
                if type(rows) is eager:
                    names.append(f"[{rows._id},{getattr(gradient.indices, '_id', 0)}]")
                elif hasattr(rows, "graph"):
                    return None
                else:
                    names.append("0")
        return f"[{','.join(names)}]"


def _kept(tensors: Sequence[Any] | None, count: int) -> str:
    """JSON text of the ids of forward tensors, null for those that were let go; `count` nulls when all were."""
    if tensors is None:
        return f"[{','.join(['null'] * count)}]"
    ids = [getattr(getattr(tensor, "handle", tensor), "_id", None) for tensor in tensors]
    return f"[{','.join(['null' if id is None else str(id) for id in ids])}]"
