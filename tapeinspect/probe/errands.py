"""Work that needs the live script, done on the script's own thread while that stands still between two ops.

A work is a function of (recorder, id of a step or None, options) that writes its rows into the trace and returns the
body of the answer. It runs with its ops unseen and with no tape of the script's recording; the time it takes is
nobody's. It must put back whatever it changes: see `tapeinspect.probe.sandbox.sandbox`.
"""

from __future__ import annotations

import _thread
import contextlib
import importlib
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

from tapeinspect.errors import TapeinspectError
from tapeinspect.link.messages import Answer, AskWork
from tapeinspect.probe import tf_private

if TYPE_CHECKING:
    from tapeinspect.link.messages import Config
    from tapeinspect.probe.control import Control
    from tapeinspect.probe.recorder import Recorder

Work = Callable[["Recorder", "int | None", dict[str, Any]], dict[str, Any]]

WORKS: Final[dict[str, str]] = {
    "autograph": "tapeinspect.probe.autograph.work:run",
    "tracing": "tapeinspect.probe.tracing.work:run",
    "diff": "tapeinspect.probe.diff.work:run",
}
"""Where each work is: `module:function`, imported when it is first asked for."""


class WorkRefused(TapeinspectError):
    """A work that cannot be done here, in words; the script goes on and the asker gets the words."""

    def __init__(self, message: str, hint: str = "", batches: tuple[int, ...] = ()) -> None:
        super().__init__(message, hint)
        self.batches = batches
        """Batches that it can be done for instead, oldest first."""


@dataclass(slots=True, eq=False)
class Errand:
    """One work asked for."""

    work: str
    step: int | None
    options: dict[str, Any]
    request: int | None = None
    """The request to answer; None: it was asked for on the command line."""
    last: bool = False
    """The script is to end behind it."""


@dataclass(slots=True, eq=False)
class Errands:
    """What is to be done when the script next stands still. Filled by the control's thread, emptied by the script's."""

    control: Control | None
    waiting: deque[Errand] = field(default_factory=deque)
    planned: list[Errand] = field(default_factory=list)
    """Asked for on the command line; due behind the step `planned_step`."""
    planned_step: int = 0
    running: bool = False
    module: ModuleType | None = None
    """The script, when it was only imported."""
    over: bool = False
    """The script has ended: there will be no further batch."""

    @classmethod
    def of(cls, config: Config, control: Control | None) -> Errands:
        """Those that the configuration asks for."""
        options = config.work_options
        planned = [Errand(work, config.work_step, options) for work in config.work]
        if planned:
            planned[-1].last = config.work_ends
        return cls(control, planned=planned, planned_step=config.work_step)

    def ask(self, message: AskWork) -> None:
        """The tool asks for a work."""
        self.waiting.append(Errand(message.work, message.step, message.options, message.request))

    def step_ended(self, step: int) -> bool:
        """A step is over: whether anything is to be done now."""
        if self.planned and step >= self.planned_step:
            self.waiting.extend(self.planned)
            self.planned = []
        return bool(self.waiting)

    def run(self, recorder: Recorder) -> bool:
        """Do what is to be done, if this thread may; whether the script is to end."""
        end = False
        if self.running or not may_run(recorder):
            return False
        self.running = True
        begun = time.perf_counter_ns()
        try:
            while self.waiting:
                errand = self.waiting.popleft()
                answer = _do(recorder, errand)
                if errand.request is not None and self.control is not None:
                    self.control.send(answer)
                elif errand.request is None and not answer.ok:
                    recorder.say(answer.body["message"], answer.body.get("hint", ""))
                end = end or errand.last
        finally:
            self.running = False
            recorder.paused(time.perf_counter_ns() - begun)
        return end

    def on_module(self, recorder: Recorder, module: ModuleType) -> None:
        """The script was only imported: do the works on what is in it."""
        self.module = module
        self.run_left(recorder)

    def run_left(self, recorder: Recorder) -> None:
        """The script is over: do what is left, as far as it needs no more of the script than there is."""
        self.over = True
        self.step_ended(max(self.planned_step, 1))
        if self.waiting and not recorder.off:
            state = recorder.state()
            state.busy = True
            try:
                self.run(recorder)
            finally:
                state.busy = False


def may_run(recorder: Recorder) -> bool:
    """Whether the thread that runs may do works: it ran steps or is the main one, and it traces nothing."""
    state = recorder.state()
    own = state.tracker.last is not None or state.tracker.current is not None
    main = threading.main_thread().ident == _thread.get_ident()
    return (own or main) and not tf_private.is_tracing()


def _do(recorder: Recorder, errand: Errand) -> Answer:
    request = errand.request or 0
    where = WORKS.get(errand.work)
    if where is None:
        return Answer(request, False, {"message": f"there is no work {errand.work!r}"})
    module, _, name = where.partition(":")
    try:
        work: Work = getattr(importlib.import_module(module), name)
        with standing_still(recorder):
            body = work(recorder, errand.step, errand.options)
        with recorder.lock:
            recorder.sink.flush()
            recorder.tick()
        return Answer(request, True, body)
    except WorkRefused as refused:
        body = {"message": refused.message, "hint": refused.hint, "batches": list(refused.batches)}
        return Answer(request, False, body)
    except TapeinspectError as error:
        return Answer(request, False, {"message": error.message, "hint": error.hint})
    except (Exception, SystemExit) as error:  # a work runs the user's code, which may raise anything
        recorder.note_trouble(errand.work, error)
        return Answer(request, False, {"message": f"{errand.work} failed: {type(error).__name__}: {error}"})


@contextmanager
def standing_still(recorder: Recorder) -> Iterator[None]:
    """No tape of the script's records what runs inside, tf.functions are traced, and nothing of it is recorded."""
    state = recorder.state()
    was, state.busy = state.busy, True
    tapes = [tape for known in state.tapes if (tape := known.tape()) is not None]
    try:
        with contextlib.ExitStack() as stack:
            stack.enter_context(tf_private.tapes_aside(tapes))
            stack.enter_context(tf_private.fresh_autograph())
            stack.enter_context(tf_private.functions_traced())
            yield
    finally:
        state.busy = was
