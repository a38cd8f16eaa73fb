"""The target's end of the control channel, and the gate that ops pass or wait at."""

from __future__ import annotations

import _thread
import os
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tapeinspect.link.channel import Channel
from tapeinspect.link.messages import (
    Answer,
    AskStats,
    AskValue,
    AskWork,
    Go,
    Message,
    Pause,
    Status,
    Stop,
)  # fmt: skip

if TYPE_CHECKING:
    from tapeinspect.probe.errands import Errands
    from tapeinspect.probe.recorder import Recorder

_TICK = 0.1


class Control:
    """Talks to the tool. Its threads are not known to `threading`, so the script does not see them."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._recorder: Recorder | None = None
        self._told = -1

    @classmethod
    def connect(cls, fd: int) -> Control | None:
        """The channel over an inherited file descriptor; None when there is none."""
        if fd < 0:
            return None
        try:
            return cls(Channel.from_fd(fd))
        except OSError:
            return None

    def send(self, message: Message) -> None:
        """Tell the tool something; nothing happens when it is gone."""
        self._channel.send(message)

    def release(self) -> None:
        """In a forked child: the channel belongs to the parent."""
        self._recorder = None
        self._channel.release()

    def serve(self, recorder: Recorder, tool_gone: Callable[[], None]) -> None:
        """Answer the tool from now on; `tool_gone` is called when it closes the channel."""
        self._recorder = recorder
        _thread.start_new_thread(self._receive, (tool_gone,))
        _thread.start_new_thread(self._watch, ())

    def _receive(self, tool_gone: Callable[[], None]) -> None:
        while True:
            try:
                message = self._channel.receive()
            except ValueError:
                continue
            if message is None:
                break
            recorder = self._recorder
            if recorder is None:
                return
            self._handle(recorder, message)
        if self._recorder is not None:
            tool_gone()

    def _handle(self, recorder: Recorder, message: Message) -> None:
        if isinstance(message, Go):
            recorder.gate.go(message.until)
        elif isinstance(message, Pause):
            recorder.gate.pause("on request")
        elif isinstance(message, Stop):
            recorder.gate.stop()
        elif isinstance(message, AskWork):
            recorder.gate.work(message)
        elif isinstance(message, (AskStats, AskValue)):
            self.send(_answer(recorder, message))

    def _watch(self) -> None:
        """Ten times a second: notice a step that ended with no op after it, write what waits, tell how far we are."""
        pid = os.getpid()
        while True:
            time.sleep(_TICK)
            recorder = self._recorder
            if recorder is None or recorder.off or os.getpid() != pid:
                return
            with recorder.lock:
                if recorder.off:
                    return
                try:
                    recorder.notice_returns()
                    if recorder.sink.buffer:
                        recorder.sink.flush()
                except Exception as error:
                    recorder.trouble("watch", error)
                if recorder.sink.written != self._told:
                    self._told = recorder.sink.written
                    recorder.tick()


def _answer(recorder: Recorder, message: AskStats | AskValue) -> Answer:
    from tapeinspect.probe import values

    with recorder.lock:
        tensor = recorder.held.find(message.tensor)
    if tensor is None:
        text = "the tensor is no longer kept in memory; --memory keeps more, --values full keeps all"
        return Answer(message.request, False, {"message": text})
    try:
        if isinstance(message, AskValue):
            return Answer(message.request, True, values.window_body(tensor, message.index))
        return Answer(message.request, True, values.stats_body(tensor))
    except Exception as error:  # whatever a tensor's value may hold back, the tool gets an answer
        return Answer(message.request, False, {"message": f"{type(error).__name__}: {error}"})


class Gate:
    """Where ops wait while the target is paused. `armed` is what the hot path looks at."""

    def __init__(
        self, control: Control | None, pause_at: int | None, stop_after: int | None, errands: Errands
    ) -> None:
        self.armed = False
        self._control = control
        self._errands = errands
        self._due = False
        """Works are to be done at the next op."""
        self._changed = threading.Condition()
        self._until = "end"
        self._pause_at = pause_at
        self._stop_after = stop_after
        self._stopping = False
        self._why = ""
        self._step: int | None = None

    def go(self, until: str) -> None:
        """Go on until the end of the batch, the op, the tape, or the script."""
        with self._changed:
            self._until = until
            self._why = "after the next op" if until == "op" else ""
            self.armed = until == "op" or self._stopping or self._due
            self._paused_changed()

    def pause(self, why: str) -> None:
        """Wait at the next op."""
        with self._changed:
            if not (self.armed and self._until == "paused"):
                self._until, self._why, self.armed = "paused", why, True

    def stop(self) -> None:
        """End the script at the next op of its main thread."""
        with self._changed:
            self._stopping = self.armed = True
            self._until = "end"
            self._paused_changed()

    def release(self) -> None:
        """Hold nobody any more."""
        with self._changed:
            self._until, self.armed, self._stopping, self._due = "end", False, False, False
            self._paused_changed()

    def step_ended(self, step: int) -> None:
        """A step is over; called by the thread that ran it, before its next op is done."""
        self._step = step
        if self._errands.step_ended(step):
            self._due = self.armed = True
        if self._stop_after is not None and step >= self._stop_after:
            self.stop()
        elif self._until == "batch" or step == self._pause_at:
            self.pause(f"after batch {step}")

    def tape_closed(self) -> None:
        """A tape's `with` block is over."""
        if self._until == "tape":
            self.pause("after the tape was closed")

    def _paused_changed(self) -> None:
        self._changed.notify_all()

    def at_op(self, recorder: Recorder, site: Any) -> None:
        """An op has run while the gate is armed: do works, end the script, wait, or pass."""
        if self._due:
            self._run_errands(recorder)
        if self._stopping:
            if threading.main_thread().ident == _thread.get_ident():
                self._stopping = self.armed = False
                raise SystemExit(0)
            return
        if self._until == "op":
            self.pause("after an op")
        if self._until != "paused":
            return
        begun = time.perf_counter_ns()
        with recorder.lock:
            recorder.sink.flush()
            recorder.tick()
            op = recorder.sink.next_op() - 1
        self._tell("paused", site, op)
        with self._changed:
            while self._until == "paused":
                if self._errands.waiting and not self._errands.running:
                    self._changed.release()
                    try:
                        self._run_errands(recorder)
                    finally:
                        self._changed.acquire()
                self._changed.wait(1.0)
        recorder.paused(time.perf_counter_ns() - begun)
        self._tell("running", site, op)
        if self._stopping:
            self.at_op(recorder, site)

    def work(self, message: AskWork) -> None:
        """A work is asked for: it is done at once where an op waits here, else when the batch has ended."""
        with self._changed:
            self._errands.ask(message)
            self._paused_changed()

    def _run_errands(self, recorder: Recorder) -> None:
        if self._errands.run(recorder):
            self.stop()
        with self._changed:
            self._due = self._due and bool(self._errands.waiting)
            self.armed = self._due or self._stopping or self._until in ("op", "paused")

    def _tell(self, state: Any, site: Any, op: int) -> None:
        if self._control is None:
            return
        user = site.stack.user
        file, line = (user.path, user.line) if user else (None, None)
        why = self._why if state == "paused" else ""
        self._control.send(Status(state, why, self._step, op, file, line))
