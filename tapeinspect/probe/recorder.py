"""One recording: ties together what the hooks see, under one lock, and keeps its troubles from the script."""

from __future__ import annotations

import _thread
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from tapeinspect.errors import TapeinspectError
from tapeinspect.link.messages import Config, Doing, Tick, Trouble
from tapeinspect.probe import failures, tf_private
from tapeinspect.probe.backward import BackwardLog
from tapeinspect.probe.calls import CallLog
from tapeinspect.probe.capture import make_callback
from tapeinspect.probe.code import CodeTable, main_directory
from tapeinspect.probe.control import Control, Gate
from tapeinspect.probe.errands import Errands
from tapeinspect.probe.gradients import Updates, VariableTable
from tapeinspect.probe.health import Health
from tapeinspect.probe.held import Held
from tapeinspect.probe.inline.turn import Turns
from tapeinspect.probe.samples import Samples
from tapeinspect.probe.sink import Sink
from tapeinspect.probe.sites import Site, SiteTable
from tapeinspect.probe.steplog import StepLog
from tapeinspect.probe.steps import StepRules, StepTracker
from tapeinspect.probe.taken.log import TakeLog
from tapeinspect.probe.tapelog import TapeLog
from tapeinspect.probe.threads import ThreadState
from tapeinspect.probe.tracing.graphs import GraphLog
from tapeinspect.trace.writer import TraceWriter

_BRIEF = 300
"""Characters of a message of an error."""


class Recorder:
    """One recording."""

    def __init__(self, config: Config, writer: TraceWriter, control: Control | None) -> None:
        self.config = config
        self.lock = _thread.allocate_lock()
        self.off = False
        """Nothing is recorded any more."""
        self.spent = 0
        """Nanoseconds of the script's threads that recording took."""
        self.started_ns = time.perf_counter_ns()
        self.guard_begun_ns = 0
        """When the hook that runs under the lock began."""
        self.errands = Errands.of(config, control)
        self.gate = Gate(control, config.pause_at, config.steps, self.errands)
        self.held = Held(config.memory if config.values != "off" else 0)
        self.code = CodeTable(main_directory(), config.source)
        self.sites = SiteTable(config.values != "off", self.held.budget > 0)
        self.steps = StepRules()
        self.turns = Turns(self, self.steps.loops)
        self.takes = TakeLog(self)
        self.variables = VariableTable()
        self.sink = Sink(writer, self.code, self.sites, self.variables)
        self.sink.before_flush = self._before_flush
        self.sink.failed = self.stop
        self.updates = Updates(self.sink)
        self.health = Health(self.sink)
        self.tape_log = TapeLog(self.sink, self.code, self.variables)
        self.call_log = CallLog(self)
        self.backward_log = BackwardLog(self)
        self.step_log = StepLog(self)
        self.graph_log = GraphLog(self)
        self.samples = Samples(self)
        self._writer = writer
        self._control = control
        self._states: dict[int, ThreadState] = {}
        self._capabilities = tf_private.available()
        self._off_parts: set[str] = set()
        self._adopted: set[int] = set()
        self._ticked = (self.started_ns, 0)

    def can(self, capability: str) -> bool:
        """Whether this TensorFlow has what a part of the recording needs."""
        return self._capabilities.get(capability, False)

    def microseconds(self, at: int) -> int:
        """A moment of `time.perf_counter_ns` as microseconds since the recording started."""
        return (at - self.started_ns) // 1000

    def find_site(self, op_type: Any, inputs: Any, attrs: Any, outputs: Any, leaf: Any) -> Site:
        """The site of an op that was not predicted."""
        site, is_new = self.sites.find(op_type, inputs, attrs or (), outputs, self.code.stack(leaf))
        if is_new:
            site.step = self.steps.place(site)
            if site.step is None:
                self.turns.fresh(site.stack, leaf, self.sink.next_op())
            if self.takes.look_at_stack(site.stack, leaf):
                site.looks = site.is_special = True
        return site

    def resite(self) -> None:
        """More code is known to hold steps: look at every site again."""
        for site in self.sites.all:
            site.step = self.steps.place(site)

    def other_outputs(self, outputs: Any) -> None:
        """Write the ids of an op's outputs down when they do not follow each other."""
        if outputs[-1]._id != outputs[0]._id + len(outputs) - 1:
            op = self.sink.next_op()
            self.sink.add("op_output", *((op, slot, t._id) for slot, t in enumerate(outputs)))

    def state(self) -> ThreadState:
        """What is known of the thread that runs; its ops are recorded from here on."""
        ident = _thread.get_ident()
        found = self._states.get(ident)
        if found is None:
            number = len(self._states) + 1
            # `current_thread` would make a dummy for a thread that `threading` does not know
            thread = threading._active.get(ident)  # type: ignore[attr-defined]
            self.sink.add("thread", (number, thread.name if thread is not None else f"thread {number}"))
            found = self._states[ident] = ThreadState(number, StepTracker(self, number))
            found.callback = make_callback(self, found)
            tf_private.add_op_callback(found.callback)
        return found

    def present(self) -> ThreadState | None:
        """What is known of the thread that runs; None when it is not recorded, or our own code runs in it."""
        state = self._states.get(_thread.get_ident())
        return None if state is None or state.busy or self.off else state

    def adopt_thread(self) -> None:
        """See to it that the ops of the thread that runs are recorded, whatever callbacks it was given."""
        ident = _thread.get_ident()
        if ident in self._adopted:
            return
        with self.lock:
            self._adopted.add(ident)
            state = self._states.get(ident)
            if state is None:
                self.state()
            elif not state.busy:
                tf_private.add_op_callback(state.callback)

    def guarded(self, part: str, function: Callable[..., Any], *args: Any) -> Any:
        """Run a hook's work: under the lock, its ops unseen, its time counted, its errors kept from the script."""
        if part in self._off_parts:
            return None
        begun = time.perf_counter_ns()
        state = self._states.get(_thread.get_ident())
        if state is not None and state.busy:
            return None
        with self.lock:
            self.guard_begun_ns = begun
            try:
                state = state or self.state()
                state.busy = True
                return function(*args)
            except Exception as error:
                self.trouble(part, error)
                return None
            finally:
                if state is not None:
                    state.busy = False
                self.spent += time.perf_counter_ns() - begun

    def notice_returns(self) -> None:
        """End the steps whose call has returned without another op after it."""
        now = time.perf_counter_ns()
        for state in list(self._states.values()):
            if state.tracker.frame.returned_ns and not state.busy:
                state.tracker.leave(now)

    def paused(self, nanoseconds: int) -> None:
        """The target has waited at the gate: that time is nobody's."""
        for state in self._states.values():
            state.tracker.waited(nanoseconds)

    def flush_in_time(self) -> None:
        """Write what waits; called between ops when the last time is some while ago."""
        with self.lock:
            begun = time.perf_counter_ns()
            self.sink.flush()
            self.spent += time.perf_counter_ns() - begun

    def _before_flush(self) -> None:
        self.health.settle()
        self.backward_log.flush()
        for state in self._states.values():
            for tape in state.tapes:
                self.tape_log.follow(tape)

    def tick(self) -> None:
        """Tell the tool how far the trace is."""
        if self._control is None:
            return
        now = time.perf_counter_ns()
        wall, spent = now - self._ticked[0], self.spent - self._ticked[1]
        self._ticked = (now, self.spent)
        overhead = self.step_log.overhead
        if overhead is None and 0 < spent < wall:
            overhead = wall / (wall - spent)
        log, seconds = self.step_log, (now - self.started_ns) / 1e9
        size = self._writer.size()
        self._control.send(
            Tick(self.sink.written, log.ended, log.loss, seconds, overhead, size, self.held.bytes)
        )

    def trouble(self, part: str, error: Exception) -> None:
        """A part of tapeinspect failed: say so once, switch that part off, let the script go on."""
        if isinstance(error, TapeinspectError):
            self.stop(error)
            return
        if part in self._off_parts:
            return
        self._off_parts.add(part)
        self.off = self.off or part == "ops"
        message = _in_brief(error)
        detail = "".join(traceback.format_exception(type(error), error, error.__traceback__))
        with suppress(TapeinspectError):
            self._writer.insert("probe_error", [(self.sink.next_id("probe_error"), part, message, detail)])
            self._writer.commit()
        self._say(
            Trouble(f"recording of {part} is off: {message}", "The script goes on.", fatal=part == "ops")
        )

    def stop(self, error: TapeinspectError) -> None:
        """Nothing can be recorded any more."""
        if not self.off:
            self.off = True
            self.gate.release()
            self._say(Trouble(error.message, error.hint, fatal=True))

    def say(self, message: str, hint: str = "") -> None:
        """Tell the tool what a user should know."""
        self._say(Trouble(message, hint))

    def doing(self, work: str, text: str) -> None:
        """Tell the tool how far a work is."""
        if self._control is not None:
            self._control.send(Doing(work, text))

    def note_trouble(self, part: str, error: BaseException) -> None:
        """Something that was asked for failed in tapeinspect itself or in the script's code; recording goes on."""
        message = _in_brief(error)
        detail = "".join(traceback.format_exception(type(error), error, error.__traceback__))
        with self.lock, suppress(TapeinspectError):
            self._writer.insert("probe_error", [(self.sink.next_id("probe_error"), part, message, detail)])
            self._writer.commit()

    def _say(self, trouble: Trouble) -> None:
        if self._control is not None:
            self._control.send(trouble)

    def set_meta(self, **facts: Any) -> None:
        """Write facts of the whole run."""
        with self.lock:
            self._writer.set_meta(**facts)
            self._writer.commit()

    def finish(self, error_of: Callable[[], BaseException | None]) -> None:
        """The script is over: write what is left, and the exception that ended it. Never raises."""
        if error_of() is None:
            self.guarded("steps", self._end_steps)
            self.errands.run_left(self)
        with self.lock:
            if self.off:
                return
            try:
                self._write_end(error_of())
            except Exception as problem:
                self.trouble("end", problem)
            self.off = True

    def _end_steps(self) -> None:
        """End the last batch of each thread: what was asked for may be about it."""
        now = time.perf_counter_ns()
        for state in list(self._states.values()):
            state.tracker.leave(now)

    def _write_end(self, error: BaseException | None) -> None:
        states = list(self._states.values())
        running = [state.tracker.current for state in states if state.tracker.current is not None]
        step = max(running) if running else self._left_by(error)
        now = time.perf_counter_ns()
        for state in states:
            state.busy = True
            state.tracker.leave(now)
        self.updates.finish()
        self.health.save_held(self.held, self.config.max_size // 4, self.step_log.begun or None)
        if error is not None:
            self.sink.add("error", failures.row(error, step, self.code.role))
        self.sink.flush()
        self.tick()

    def _left_by(self, error: BaseException | None) -> int | None:
        """The step that an exception went through, when it was found to be over before the script was."""
        places = [] if error is None else list(traceback.walk_tb(error.__traceback__))
        left = [state.tracker.last for state in self._states.values()]
        return max(
            (
                step.id
                for step in left
                if step is not None
                and any(
                    frame.f_code is step.code and (step.loop is None or step.loop.position(line) is not None)
                    for frame, line in places
                )
            ),
            default=None,
        )

    def close(self, complete: bool) -> None:
        """Close the trace file."""
        with suppress(TapeinspectError):
            if complete:
                self._writer.set_meta(complete=True)
                self._writer.commit()
        self._writer.close()

    def detach(self) -> None:
        """Take the op callback out of this thread; in the others it does nothing once recording is off."""
        state = self._states.get(_thread.get_ident())
        if state is not None:
            tf_private.remove_op_callback(state.callback)
            self.samples.detach(state.id)


def _in_brief(error: BaseException) -> str:
    """An exception in a line: TensorFlow puts whole tensors into its messages."""
    text = next(iter(str(error).splitlines()), "")
    return f"{type(error).__name__}: {text if len(text) <= _BRIEF else text[:_BRIEF] + '…'}"
