"""Puts the hooks into TensorFlow, and takes them out again."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from typing import Any

from tapeinspect.probe import tf_private, tf_tracing
from tapeinspect.probe.backward import BackwardHooks
from tapeinspect.probe.recorder import Recorder
from tapeinspect.probe.tapes import TapeHooks
from tapeinspect.probe.tracing.retraces import TraceLog

_HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


class Hooks:
    """Everything that is hooked for one recording."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._undo: list[Callable[[], None]] = []

    def install(self) -> None:
        """Begin to record in this thread and in every thread that `threading` starts from now on."""
        recorder = self._recorder
        tf_private.hide_from_tracebacks(_HERE)
        if recorder.can("tapes"):
            tapes = TapeHooks(recorder)
            tapes.install()
            self._undo.append(tapes.remove)
        if recorder.can("tapes") and recorder.can("backward"):
            backward = BackwardHooks(recorder)
            backward.install()
            self._undo.append(backward.remove)
        if recorder.can("traces"):
            self._hear_of_traces()
        if recorder.can("retraces"):
            self._undo.append(tf_tracing.watch_tracing(TraceLog(recorder).around))
        if recorder.config.mode == "eager":
            self._undo.append(tf_private.run_functions_eagerly())
        with recorder.lock:
            recorder.state()
        self._follow_threads()

    def remove(self) -> None:
        """Stop recording in this thread and put everything back."""
        while self._undo:
            self._undo.pop()()
        self._recorder.detach()

    def _hear_of_traces(self) -> None:
        recorder = self._recorder

        def traced(function: Any) -> None:
            if not recorder.off:
                recorder.guarded("traces", recorder.graph_log.traced, function)

        callbacks = tf_private.concrete_function_callbacks()
        callbacks.append(traced)
        self._undo.append(lambda: callbacks.remove(traced))

    def _follow_threads(self) -> None:
        """Attach to each new thread at its first call: `threading` runs this function there, once."""
        recorder = self._recorder
        before = getattr(threading, "_profile_hook", None)
        if before is not None:
            return

        def first_call(frame: Any, event: str, argument: Any) -> None:
            sys.setprofile(None)
            if not recorder.off:
                recorder.guarded("threads", recorder.state)

        threading.setprofile(first_call)
        self._undo.append(lambda: threading.setprofile(None))
