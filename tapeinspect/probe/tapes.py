"""Hears of every `tf.GradientTape`: when it opens, closes and watches, and what it was asked for.

The class stays as it is. The functions that its methods call are wrapped for as long as recording lasts, so that the
errors which those methods raise come from TensorFlow's own code alone; only jacobians are wrapped as methods.
"""

from __future__ import annotations

import functools
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from tapeinspect.probe import failures, tf_private
from tapeinspect.probe.calls import Asked

if TYPE_CHECKING:
    from tapeinspect.probe.recorder import Recorder
    from tapeinspect.probe.tapelog import OpenTape

_EVENTS = {"__exit__": "exit", "stop_recording": "stop_recording"}
_INTERNAL = ("_ensure_recording", "gradient", "jacobian", "batch_jacobian")


class TapeHooks:
    """The wrappers around what `tf.GradientTape` calls."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._tapes: WeakKeyDictionary[Any, OpenTape] = WeakKeyDictionary()
        self._undo: list[Callable[[], None]] = []

    def install(self) -> None:
        """Begin to listen."""
        functions, cls = tf_private.tape_functions(), tf_private.gradient_tape()
        push, pop, watch = cls._push_tape.__code__, cls._pop_tape.__code__, cls.watch.__code__
        self._wrap(functions, "push_new_tape", push, self._pushed)
        self._wrap(functions, "push_tape", push, self._pushed)
        self._wrap(functions, "pop_tape", pop, self._popped)
        self._wrap(functions, "watch", watch, self._watched)
        self._wrap(functions, "watch_variable", watch, self._watched)
        self._wrap_gradient(tf_private.backward_pass(), cls.gradient.__code__)
        for method in ("jacobian", "batch_jacobian"):
            self._wrap_jacobian(cls, method)

    def remove(self) -> None:
        """Put TensorFlow's own functions back."""
        while self._undo:
            self._undo.pop()()

    def _wrap(self, module: Any, name: str, method: Any, after: Callable[..., None]) -> None:
        """Call `after` whenever `method`, a method of GradientTape, has called a function."""
        original = getattr(module, name)
        recorder = self._recorder

        @functools.wraps(original)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            result = original(*args, **kwargs)
            if not recorder.off:
                caller = sys._getframe(1)
                if caller.f_code is method:
                    recorder.guarded("tapes", after, caller.f_locals["self"], caller.f_back, args)
            return result

        self._replace(module, name, original, wrapper)

    def _wrap_gradient(self, module: Any, method: Any) -> None:
        original = module.imperative_grad
        recorder = self._recorder

        @functools.wraps(original)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            caller = sys._getframe(1)
            if recorder.off or caller.f_code is not method:
                return original(*args, **kwargs)
            local = caller.f_locals
            raw = kwargs.get("sources_raw", args[2])
            asked = Asked("gradient", local["target"], raw, local["sources"], local["self"])
            return self._called(
                functools.partial(original, *args, **kwargs), local["self"], asked, caller.f_back
            )

        self._replace(module, "imperative_grad", original, wrapper)

    def _wrap_jacobian(self, cls: Any, name: str) -> None:
        original = cls.__dict__[name]
        recorder, called = self._recorder, self._called

        def run(tape: Any, target: Any, sources: Any, rest: tuple[Any, ...], named: dict[str, Any]) -> Any:
            call = functools.partial(original, tape, target, sources, *rest, **named)
            if recorder.off:
                return call()
            return called(call, tape, Asked(name, target, sources, sources, tape), sys._getframe(2))

        @functools.wraps(original)
        def jacobian(self: Any, target: Any, sources: Any, *args: Any, **kwargs: Any) -> Any:
            return run(self, target, sources, args, kwargs)

        @functools.wraps(original)
        def batch_jacobian(self: Any, target: Any, source: Any, *args: Any, **kwargs: Any) -> Any:
            return run(self, target, source, args, kwargs)

        self._replace(cls, name, original, jacobian if name == "jacobian" else batch_jacobian)

    def _called(self, run: Callable[[], Any], tape: Any, asked: Asked, frame: Any) -> Any:
        """Run a call of `tape.gradient` or the like and take it down."""
        recorder, log = self._recorder, self._recorder.call_log
        call = recorder.guarded("gradients", log.begins, self._tapes.get(tape), asked, frame)
        try:
            result = run()
        except BaseException as error:
            failures.strip_when_uncaught()
            if call is not None:
                recorder.guarded("gradients", log.failed, call, error)
            raise
        if call is not None:
            recorder.guarded("gradients", log.ended, call, result)
        return result

    def _replace(self, owner: Any, name: str, original: Any, wrapper: Any) -> None:
        setattr(owner, name, wrapper)
        self._undo.append(lambda: setattr(owner, name, original))

    def _pushed(self, tape: Any, frame: Any, args: tuple[Any, ...]) -> None:
        recorder, caller = self._recorder, frame.f_code.co_name
        if not tf_private.executing_eagerly():
            recorder.graph_log.tape_traced(frame.f_back)
            return
        state, known = recorder.state(), self._tapes.get(tape)
        if caller == "__enter__":
            opener = frame.f_back or frame
            state.tracker.tape_opened(opener, nested=bool(state.tapes))
            if known is None:
                parent = state.tapes[-1] if state.tapes else None
                known = recorder.tape_log.opened(tape, parent, state.tracker.current, state.id, opener)
                self._tapes[tape] = known
            self._event(known, "enter", opener)
        elif known is not None and caller not in _INTERNAL:
            self._event(known, "reset" if caller == "reset" else "resume", frame.f_back)
        if known is not None:
            if caller == "reset":
                recorder.tape_log.forget(known)
            if known not in state.tapes:
                state.tapes.append(known)
                recorder.samples.opened(state)
                if caller != "__enter__":  # it goes on where it was among the others
                    state.tapes.sort(key=lambda tape: tape.id)

    def _popped(self, tape: Any, frame: Any, args: tuple[Any, ...]) -> None:
        known = self._tapes.get(tape)
        if known is None or not tf_private.executing_eagerly():
            return
        state, caller = self._recorder.state(), frame.f_code.co_name
        if known in state.tapes:
            state.tapes.remove(known)
            self._recorder.samples.closed(state, tape, frame)
        if caller in _EVENTS:
            self._event(known, _EVENTS[caller], frame.f_back)
        if caller == "__exit__":
            self._recorder.tape_log.closed(known)
            self._recorder.gate.tape_closed()

    def _watched(self, tape: Any, frame: Any, args: tuple[Any, ...]) -> None:
        known = self._tapes.get(tape)
        if known is None or not tf_private.executing_eagerly():
            return
        watched = args[1]
        tensor = getattr(getattr(watched, "handle", watched), "_id", None)
        if tensor is not None:
            known.watched.add(tensor)
            self._event(known, "watch", frame, tensor)

    def _event(self, tape: OpenTape, event: str, frame: Any, tensor: int | None = None) -> None:
        recorder = self._recorder
        recorder.tape_log.event(tape, event, frame, recorder.microseconds(time.perf_counter_ns()), tensor)
