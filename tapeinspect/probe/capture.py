"""The function TensorFlow calls after each eager op: the hot path, where every microsecond is the user's.

It predicts. A training step repeats the ops of the step before, so the site of the next op is guessed (the op that
came at this point of the last step, or after this op the last time) and the guess is checked against what tells it
apart: op type, attributes, the innermost frame, every frame of the user's, and the shapes of the outputs. Only when
the guess fails is the whole stack walked and looked up.

An op that is guessed right and needs nothing else is taken by `native/_callback.c` where that could be compiled; it
says in C what is said here, and hands every other op on. Change both, or neither.
"""

from __future__ import annotations

import _thread
import math
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tapeinspect.probe import native, tf_private
from tapeinspect.probe.sites import Site, StepPlace
from tapeinspect.trace.figures import squares, sum_of_squares

if TYPE_CHECKING:
    from tapeinspect.probe.recorder import Recorder
    from tapeinspect.probe.threads import ThreadState

_INFINITY = float("inf")
_RESYNC = 200
"""How many ops further on in the last step an unexpected op is looked for."""


def make_callback(recorder: Recorder, state: ThreadState) -> Callable[..., None]:
    """The op callback of one thread."""
    clock = time.perf_counter_ns
    get_ident = _thread.get_ident
    ident = get_ident()
    getframe = sys._getframe
    sqrt = math.sqrt
    lock = recorder.lock
    sink = recorder.sink
    extend = sink.buffer.extend
    remember = sink.sites.append
    gate = recorder.gate
    tracker = state.tracker
    running = tracker.frame
    tapes = state.tapes
    marks = recorder.backward_log.marks
    thread = state.id
    held = recorder.held
    budget = held.budget
    hold = held.tensors.append
    hold_size = held.sizes.append
    possible = tf_private.possible_gradient_types() if recorder.can("tapes") else None
    full = recorder.config.values == "full"
    started = recorder.started_ns
    cursor: Cursor = native.cursor() or Cursor()
    cursor.site, cursor.outer = _NoSite(), None
    cursor.trail, cursor.last = [], []
    cursor.index = cursor.size = cursor.serial = 0
    cursor.ended = clock()

    def on_op(
        op_type: Any, inputs: Any, attrs: Any, outputs: Any, op_name: Any = None, graph: Any = None
    ) -> None:
        if state.busy or recorder.off:
            return
        if get_ident() != ident:  # tf.distribute hands the callbacks of a thread on to those of its replicas
            recorder.adopt_thread()
            return
        begun = clock()
        state.busy = True
        lock.acquire()
        try:
            if graph is not None:
                recorder.graph_log.added(op_type)
                return
            site, last, index, size, serial = (
                cursor.site,
                cursor.last,
                cursor.index,
                cursor.size,
                cursor.serial,
            )
            wanted = last[index] if index < size else None
            n_inputs, n_outputs = len(inputs), len(outputs)
            array = None
            in_step = False
            for guess in (wanted, site.next):
                if (
                    guess is None
                    or guess.raw_type != op_type
                    or guess.attrs != attrs
                    or guess.n_inputs != n_inputs
                    or guess.n_outputs != n_outputs
                ):
                    continue
                if n_outputs == 1:
                    if guess.measure == 1:
                        array = outputs[0]._numpy_internal()
                        if array.shape != guess.shapes[0]:
                            continue
                    elif outputs[0]._shape_tuple() != guess.shapes[0]:
                        continue
                elif n_outputs and tuple([t._shape_tuple() for t in outputs]) != guess.shapes:
                    continue
                try:
                    checks = guess.checks
                    place = guess.step
                    if place is not None:
                        frame = getframe(place.depth)
                        # The frames around the step's own wait for it to return: since its first op they are where
                        # they were. Those of libraries inside it follow from the op, its depth and its turn in the
                        # sequence.
                        in_step = (
                            id(frame) == running.key
                            and place.outer is cursor.outer
                            and tracker.serial == serial
                        )
                        if in_step:
                            if frame.f_lasti != place.lasti:
                                continue
                            checks = place.users if guess is wanted else place.inner
                    for depth, check_code, check_lasti in checks:
                        frame = getframe(depth)
                        if frame.f_code is not check_code or frame.f_lasti != check_lasti:
                            break
                    else:
                        found = guess
                        break
                except ValueError:  # the stack is not that deep
                    continue
            else:
                found = recorder.find_site(op_type, inputs, attrs, outputs, getframe(1))
                place = found.step
                in_step = False
            site.next = found
            cursor.site = found
            if found is wanted:
                cursor.index = index + 1
            elif size:
                try:  # noqa: SIM105 (faster than a context manager)
                    cursor.index = last.index(found, index, index + _RESYNC) + 1
                except ValueError:  # an op that the last step did not run here
                    pass

            if place is not None:
                if not in_step or place.position != tracker.position or place.loop is not tracker.loop:
                    frame = getframe(place.depth)
                    if (
                        id(frame) != running.key
                        or place.position != tracker.position
                        or place.loop is not tracker.loop
                    ):
                        tracker.at(frame, place, begun)
                    cursor.outer = place.outer
            elif tracker.open:
                tracker.leave(begun)
            if tracker.serial != serial:
                serial = cursor.serial = tracker.serial
                cursor.last, cursor.trail = cursor.trail, []
                cursor.index, cursor.size = 0, len(cursor.last)
            if serial:
                cursor.trail.append(found)

            if n_inputs == 1:
                taken = f"[{inputs[0]._id}]"
            elif n_inputs == 2:
                taken = f"[{inputs[0]._id},{inputs[1]._id}]"
            elif n_inputs == 0:
                taken = "[]"
            else:
                taken = f"[{','.join([str(t._id) for t in inputs])}]"

            tape = None
            if tapes and possible is not None and possible(inputs):
                marks[id(attrs)] = sink.count + 1
                tape = (
                    tapes[0].id if len(tapes) == 1 else recorder.tape_log.which(tapes, found, inputs, outputs)
                )

            norm = made = None
            if n_outputs:
                first = outputs[0]
                made = first._id
                if n_outputs > 1:
                    recorder.other_outputs(outputs)
                if found.measure:
                    if found.measure == 1:
                        if array is None:
                            array = first._numpy_internal()
                        norm = sqrt(sum_of_squares(array))
                        if not 0.0 < norm < _INFINITY and (norm != 0.0 or array.any()):
                            # squares too large, or too small, for the type
                            norm = recorder.health.closely(first)
                    elif found.measure == 2:
                        norm = recorder.health.every(found, outputs)
                    else:
                        recorder.health.elsewhere(found, outputs)
                kept = found.held_bytes
                if kept:
                    hold(first if n_outputs == 1 else tuple(outputs))
                    hold_size(kept)
                    held.bytes += kept
                    if held.bytes > budget:
                        held.trim()
                if full:
                    recorder.health.keep(outputs, tracker.current)

            count = sink.count = sink.count + 1
            extend((
                count, tracker.current, found.kind, found.stack_id, thread, (begun - started) // 1000,
                begun - cursor.ended, tape, taken, made, norm,
            ))  # fmt: skip
            remember(found)
            if found.is_special:
                if found.looks:
                    recorder.takes.look_at_stack(found.stack, getframe(1))
                if found.is_assign:
                    recorder.updates.on_assign(found.type, inputs)
                elif found.special == "iterator":
                    recorder.takes.gave(thread, inputs[0], outputs)
                elif found.special:
                    recorder.graph_log.ran(state, found, attrs, begun)
        except Exception as error:
            recorder.trouble("ops", error)
        finally:
            lock.release()
            ended = cursor.ended = clock()
            recorder.spent += ended - begun
            state.busy = False
        if gate.armed:
            state.busy = True
            try:
                gate.at_op(recorder, cursor.site)
            finally:
                state.busy = False
                cursor.ended = clock()
        elif sink.due < ended:
            recorder.flush_in_time()

    if full:
        return on_op
    return native.callback(
        on_op, slow=on_op, cursor=cursor, recorder=recorder, state=state, tracker=tracker, running=running,
        gate=gate, sink=sink, lock=lock, tapes=tapes, marks=marks, buffer=sink.buffer, sites=sink.sites, held=held,
        hold=hold, hold_size=hold_size, possible=possible, thread=thread, squares=squares,
        getframe=getframe, site_type=Site, place_type=StepPlace,
        tensor_type=tf_private.eager_tensor(), on_assign=recorder.updates.on_assign, trim=held.trim,
        now=clock(), started=started, budget=budget,
    )  # fmt: skip


class Cursor:
    """Where in the sequence of ops a thread is. `native/_callback.c` has the same with its fields in reach of C."""

    __slots__ = ("ended", "index", "last", "outer", "serial", "site", "size", "trail")

    site: Any
    """Of the last op."""
    outer: tuple[Any, ...] | None
    """The frames around the step at its last op, interned."""
    trail: list[Any]
    """The sites of the step that runs."""
    last: list[Any]
    """Those of the step before."""
    index: int
    """Where in `last` the next op is expected."""
    size: int
    """How long `last` is."""
    serial: int
    """The tracker's number of the step."""
    ended: int
    """When the last op had been recorded, by `time.perf_counter_ns`."""


class _NoSite:
    """Stands before the first op."""

    next = None
