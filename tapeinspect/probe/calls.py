"""Calls of `tape.gradient`, `tape.jacobian` and `tape.batch_jacobian`, and the gradients they gave."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tapeinspect.probe import magnitudes, tf_private, values
from tapeinspect.probe.evidence import Evidence
from tapeinspect.probe.gradients import look_at, measure

if TYPE_CHECKING:
    from tapeinspect.probe.recorder import Recorder
    from tapeinspect.probe.tapelog import OpenTape
    from tapeinspect.probe.threads import ThreadState


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """What a call was asked for."""

    method: str
    target: Any
    sources: Any
    given: Any
    """The sources in the structure the script gave them in."""
    tape: Any = None
    """The tape itself."""


@dataclass(slots=True, eq=False)
class Call:
    """A call that runs."""

    id: int
    tape: OpenTape | None
    asked: Asked
    stack: int
    step: int | None
    targets: list[Any]
    frame: Any
    first_op: int
    begun_ns: int
    spent_before: int


class CallLog:
    """Writes down calls and gradients. The caller serialises."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._evidence = Evidence(recorder.sink)

    def begins(self, tape: OpenTape | None, asked: Asked, frame: Any) -> Call | None:
        """A call begins; None when it runs inside another one, or while a tf.function is traced."""
        recorder = self._recorder
        state = recorder.state()
        if not tf_private.executing_eagerly() or state.calls:
            return None
        import tensorflow as tf

        recorder.takes.look(state.tracker.frame.find(frame))
        state.calls += 1
        state.call = recorder.sink.next_id("gradient_call")
        state.method = asked.method
        now = time.perf_counter_ns()
        return Call(
            id=state.call,
            tape=tape,
            asked=asked,
            stack=recorder.code.stack(frame).id,
            step=state.tracker.current,
            targets=[t for t in tf.nest.flatten(asked.target) if hasattr(t, "_id")],
            frame=frame,
            first_op=recorder.sink.next_op(),
            begun_ns=now,
            spent_before=recorder.spent + now - recorder.guard_begun_ns,
        )

    def failed(self, call: Call, error: BaseException) -> None:
        """The call raised."""
        state = self._recorder.state()
        state.calls -= 1
        state.call = None
        self._write(call, f"{type(error).__name__}: {error}")

    def ended(self, call: Call, result: Any) -> None:
        """The call returned: take down the gradient of each source."""
        import tensorflow as tf

        recorder = self._recorder
        state = recorder.state()
        state.calls -= 1
        state.call = None
        self._write(call, None)
        sources, results = tf.nest.flatten(call.asked.sources), tf.nest.flatten(result)
        if len(sources) != len(results):
            results = list(tf.nest.flatten_up_to(call.asked.sources, result))
        if call.step is not None:
            recorder.updates.begin(call.step)
        with tf_private.tapes_paused():
            self._write_gradients(call, sources, results)
        self._note_loss(state, call)

    def _write_gradients(self, call: Call, sources: list[Any], results: list[Any]) -> None:
        recorder = self._recorder
        first = recorder.sink.next_id("gradient", len(sources))
        intern, updates = recorder.variables.intern, recorder.updates
        known = [
            intern(source, call.frame, call.stack, index, call.asked.given)
            for index, source in enumerate(sources)
        ]
        followed = [] if call.step is None else updates.follow(known)
        gradients = [look_at(result) for result in results]
        figures, of_values = measure(gradients, [value for _, value in followed])
        for (variable, value), measured in zip(followed, of_values, strict=True):
            updates.measured(variable, value, *measured)
        rows = enumerate(zip(known, gradients, figures, strict=True), first)
        recorder.sink.add(
            "gradient", *[(n, call.id, call.step, k.id, *g.figures(f)) for n, (k, g, f) in rows]
        )
        if call.step is not None and magnitudes.wanted(call.step):
            for k, result in zip(known, results, strict=True):
                if result is not None:
                    array = values.array_of(getattr(result, "values", result))
                    magnitudes.write(recorder.sink, call.step, k.id, "gradient", array)
        self._evidence.take(call, first, sources, results)

    def _note_loss(self, state: ThreadState, call: Call) -> None:
        """The loss of a step is the target of its first gradient, one of an outermost tape before any other."""
        step = state.tracker.step
        if step is None or len(call.targets) != 1 or call.asked.method != "gradient":
            return
        outer = call.tape is None or call.tape.parent is None
        if step.loss is not None and (step.loss_is_outer or not outer):
            return
        array = values.array_of(call.targets[0])
        if array.size and array.dtype.kind in "fV":
            step.loss, step.loss_is_outer = float(array.astype("float64").mean()), outer

    def _write(self, call: Call, error: str | None) -> None:
        recorder = self._recorder
        last = recorder.sink.next_op() - 1
        span = (call.first_op, last) if last >= call.first_op else (None, None)
        took = time.perf_counter_ns() - call.begun_ns - (recorder.spent - call.spent_before)
        targets = json.dumps([t._id for t in call.targets])
        row = (call.id, call.tape.id if call.tape else 0, call.step, call.asked.method, call.stack, targets)
        recorder.sink.add("gradient_call", (*row, *span, took / 1e9, error))
