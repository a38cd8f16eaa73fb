"""Running the step eagerly and traced, several calls each from one state."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any, Protocol

from tapeinspect.probe import tf_autograph, tf_private
from tapeinspect.probe.autograph.watch import Watch
from tapeinspect.probe.diff.gradients import GradientWatch, named
from tapeinspect.probe.diff.memory import Gauge
from tapeinspect.probe.diff.watch import EagerWatch, Places, mapped_stack
from tapeinspect.probe.sandbox.sandbox import Printed, Sandbox
from tapeinspect.probe.sandbox.saved import Change
from tapeinspect.probe.step_function import StepFunction
from tapeinspect.probe.tf_state import EqualSeeds, functions_eager, is_op_error

CALLS = 3
_TIMED_CALLS = 8


class Tracing(Protocol):
    """Sees the ops that are traced."""

    def tracing(self) -> AbstractContextManager[None]:
        """Those that are traced inside."""


@dataclass(slots=True, eq=False)
class Call:
    """What came of one call of the step."""

    outputs: dict[str, Any] = field(default_factory=dict)
    """Arrays and plain values by where they are in what was returned."""
    gradients: dict[str, Any] = field(default_factory=dict)
    """Arrays by variable; None for a gradient that is None."""
    variables: dict[str, Any] = field(default_factory=dict)
    """Values after the call."""
    changes: list[Change] = field(default_factory=list)
    printed: Printed = field(default_factory=lambda: Printed("", ""))
    seconds: float = 0.0
    traces: int = 0
    """How often the step was traced in it."""


@dataclass(slots=True, eq=False)
class Side:
    """The calls of one way to run the step."""

    calls: list[Call] = field(default_factory=list)
    error: BaseException | None = None
    """What the call behind the last one raised."""
    tracing: bool = False
    """It was raised while the step was traced."""
    times: list[float] = field(default_factory=list)
    """Seconds of calls that nothing was watched in, the first one left out."""
    memory: int | None = None
    """Bytes that the last call needed at most, where that was measured."""
    trouble: Exception | None = None
    """What calls behind the last one raised, which were run for their time alone."""
    concrete: Callable[[], Any] = lambda: None
    """The traced function; None where there is none, or not one for the same arguments."""


class Runner:
    """Runs a step both ways inside a sandbox."""

    def __init__(self, step: StepFunction, box: Sandbox, role: Callable[[str], str]) -> None:
        self.step = step
        self.box = box
        self.places = Places(role)
        self._names = {entry.target.handle._id: entry.path for entry in box.variables}

    def eager(
        self,
        seeds: EqualSeeds,
        calls: int = CALLS,
        watch: EagerWatch | None = None,
        gauge: Gauge | None = None,
        seconds: float = 0.0,
    ) -> Side:
        """Run the step op by op, from the state at the beginning.

        watch: takes down the values of the first call's ops. gauge: measures the last call. seconds: how long it may
        be called for its time alone.
        """
        gradients = GradientWatch(self._names.get, self._line)

        def call() -> tuple[Any, list[Any]]:
            seeds.begin(traced=False)
            gradients.found.clear()
            result = self.step.function(*self.step.args, **self.step.kwargs)
            return result, [value for _, value in gradients.found]

        with self.seeded(seeds), functions_eager(True), gradients.on():
            return self._calls(call, gradients, calls, [], seconds, watch, gauge)

    def traced(
        self,
        seeds: EqualSeeds,
        calls: int = CALLS,
        watch: Tracing | None = None,
        jit: bool = False,
        code: Watch | None = None,
        seconds: float = 0.0,
    ) -> Side:
        """Run the step as a `tf.function`, from the state at the beginning. jit: compiled by XLA.

        watch: sees its ops as they are traced. code: watches AutoGraph in the first trace. seconds: how long it may be
        called for its time alone.
        """
        import tensorflow as tf

        gradients = GradientWatch(self._names.get, self._line)
        traces: list[str] = []
        inner = self.converted()

        def step(*args: Any, **kwargs: Any) -> Any:
            traces.append("begun")
            seeds.begin(traced=True)
            gradients.found.clear()
            with ExitStack() as stack:
                if watch is not None:
                    stack.enter_context(watch.tracing())
                if code is not None and len(traces) == 1:
                    stack.enter_context(code.watching())
                result = inner(*args, **kwargs)
            traces.append("done")
            return result, gradients.here()

        function = tf.function(step, autograph=False, jit_compile=True if jit else None)

        def call() -> tuple[Any, list[Any]]:
            result, values = function(*self.step.args, **self.step.kwargs)
            return result, values

        @functools.cache
        def concrete() -> Any:
            before = len(traces)
            with self.seeded(seeds), functions_eager(False):
                found = function.get_concrete_function(*self.step.args, **self.step.kwargs)
            if len(traces) == before:
                return found
            self.box.restore()  # it was traced again
            return None

        with self.seeded(seeds), functions_eager(False), gradients.on():
            side = self._calls(call, gradients, calls, traces, seconds)
        side.concrete = concrete
        return side

    def once(self, seeds: EqualSeeds, call: Callable[..., Any]) -> Any:
        """What a traced function gives that is called with the step's arguments, from the state at the beginning."""
        try:
            with self.seeded(seeds), functions_eager(False):
                return call(*self.step.args, **self.step.kwargs)
        finally:
            self.box.restore()

    def converted(self) -> Callable[..., Any]:
        """The step as `tf.function` would trace it."""
        import tensorflow as tf

        function = self.step.function
        if not self.step.converts or tf_autograph.is_told_not_to_convert(function):
            return function
        autograph = tf.__internal__.autograph
        found: Callable[..., Any] = autograph.tf_convert(function, autograph.control_status_ctx())
        return found

    def _line(self) -> int | None:
        return self.places.of_frames(mapped_stack()).line

    @contextmanager
    def seeded(self, seeds: EqualSeeds) -> Iterator[None]:
        """Random ops take their seeds from `seeds` inside."""

        def place() -> tuple[Any, ...]:
            where = self.places.of_frames(mapped_stack())
            return where.path, where.line

        with seeds.used(place):
            yield

    def _calls(
        self,
        call: Callable[[], tuple[Any, list[Any]]],
        gradients: GradientWatch,
        count: int,
        traces: list[str],
        seconds: float,
        watch: EagerWatch | None = None,
        gauge: Gauge | None = None,
    ) -> Side:
        side = Side()
        before = 0
        try:
            for number in range(count):
                before = traces.count("begun")
                watched = watch if number == 0 else None
                measured = gauge if number == count - 1 else None
                side.calls.append(self._one(call, gradients, traces, side, watched, measured))
        except Exception as error:
            side.error = error
            begun = traces.count("begun")
            # what is no error of an op was raised by tf.function, which did not like what it traced
            side.tracing = begun > traces.count("done") or (begun > before and not is_op_error(error))
        else:
            side.times = [c.seconds for c in side.calls[1 : -1 if gauge is not None else None]]
            _call_on(call, side, seconds)
        self.box.restore()
        return side

    def _one(
        self,
        call: Callable[[], tuple[Any, list[Any]]],
        gradients: GradientWatch,
        traces: list[str],
        side: Side,
        watch: EagerWatch | None,
        gauge: Gauge | None,
    ) -> Call:
        self.box.mark()
        before = traces.count("begun")
        begun = time.perf_counter()
        with watch.on() if watch is not None else nullcontext():
            if gauge is None:
                result, values = call()
            else:
                with gradients.copying(gauge):
                    side.memory, (result, values) = gauge.peak(call, one_by_one=True)
        outputs = {path: plain(value) for path, value in flatten("result", result)}
        seconds = time.perf_counter() - begun
        asked = [key for key, _ in gradients.found]
        return Call(
            outputs=outputs,
            gradients=named(asked, values),
            variables={entry.path: plain(entry.now()) for entry in self.box.variables},
            changes=self.box.changes(),
            printed=self.box.printed(),
            seconds=seconds,
            traces=traces.count("begun") - before,
        )


def _call_on(call: Callable[[], tuple[Any, Any]], side: Side, seconds: float) -> None:
    """Call the step for its time alone: for so many seconds, those of the calls that are known taken off."""
    try:
        while side.times and sum(side.times) + side.times[-1] < seconds and len(side.times) < _TIMED_CALLS:
            side.times.append(took(lambda: call()[0]))
    except Exception as error:  # the script's own: not every call is like the first
        side.trouble = error


def took(call: Callable[[], Any]) -> float:
    """Seconds of a call, until what it returns is there."""
    begun = time.perf_counter()
    for _, value in flatten("", call()):
        plain(value)  # waits for a device
    return time.perf_counter() - begun


def flatten(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    """What was returned, item by item, each with the way to it."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from flatten(f"{path}[{key!r}]", item)
    elif isinstance(value, tuple) and hasattr(value, "_fields"):
        for name in value._fields:
            yield from flatten(f"{path}.{name}", getattr(value, name))
    elif isinstance(value, (list, tuple)):
        for index, item in enumerate(value):
            yield from flatten(f"{path}[{index}]", item)
    else:
        yield path, value


def plain(value: Any) -> Any:
    """An array for a tensor or a number, None for anything that has no value to compare."""
    import numpy as np

    if isinstance(value, (bool, int, float, complex, str, bytes)):
        return value
    try:
        if hasattr(value, "numpy"):
            return np.asarray(tf_private.view(value) if hasattr(value, "_numpy_internal") else value.numpy())
        if hasattr(value, "values") and hasattr(value, "indices"):
            import tensorflow as tf

            return np.asarray(tf.convert_to_tensor(value))
    except Exception:  # a variant or a symbolic tensor has no value
        return None
    return value if type(value).__module__ == "numpy" else None
