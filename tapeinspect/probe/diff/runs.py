"""Running the step eagerly and traced, several calls each from one state."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

from tapeinspect.probe import tf_autograph
from tapeinspect.probe.autograph.watch import Watch
from tapeinspect.probe.diff.gradients import GradientWatch, named
from tapeinspect.probe.diff.listed import OpList
from tapeinspect.probe.diff.watch import EagerWatch, GraphWatch, Places, mapped_stack
from tapeinspect.probe.sandbox.sandbox import Printed, Sandbox
from tapeinspect.probe.sandbox.saved import Change
from tapeinspect.probe.step_function import StepFunction
from tapeinspect.probe.tf_state import EqualSeeds, functions_eager, is_op_error

CALLS = 3
_TIMED_SECONDS = 0.4
_TIMED_CALLS = 5


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
    seconds: float | None = None
    """Of one call, the first left out; only where it is compiled by XLA."""
    watch: EagerWatch | GraphWatch | None = None


class Runner:
    """Runs a step both ways inside a sandbox."""

    def __init__(self, step: StepFunction, box: Sandbox, role: Callable[[str], str]) -> None:
        self.step = step
        self.box = box
        self.places = Places(role)
        self._names = {entry.target.handle._id: entry.path for entry in box.variables}

    def eager(self, seeds: EqualSeeds, calls: int = CALLS, watch: EagerWatch | None = None) -> Side:
        """Run the step op by op, from the state at the beginning."""
        gradients = GradientWatch(self._names.get, self._line)

        def call() -> tuple[Any, list[Any]]:
            seeds.begin(traced=False)
            gradients.found.clear()
            result = self.step.function(*self.step.args, **self.step.kwargs)
            return result, [value for _, value in gradients.found]

        with self.seeded(seeds), functions_eager(True), gradients.on():
            return self._calls(call, gradients, calls, watch, [], False)

    def traced(
        self,
        seeds: EqualSeeds,
        calls: int = CALLS,
        watch: GraphWatch | None = None,
        jit: bool = False,
        listed: OpList | None = None,
        code: Watch | None = None,
    ) -> Side:
        """Run the step as a `tf.function`, from the state at the beginning. jit: compiled by XLA.

        watch: takes down the values of its ops. listed: lists the ops. code: watches AutoGraph in the first trace.
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
                for watching in (watch, listed):
                    if watching is not None:
                        stack.enter_context(watching.tracing())
                if code is not None and len(traces) == 1:
                    stack.enter_context(code.watching())
                result = inner(*args, **kwargs)
            traces.append("done")
            return result, gradients.here()

        function = tf.function(step, autograph=False, jit_compile=True if jit else None)

        def call() -> tuple[Any, list[Any]]:
            result, values = function(*self.step.args, **self.step.kwargs)
            return result, values

        with self.seeded(seeds), functions_eager(False), gradients.on():
            return self._calls(call, gradients, calls, watch, traces, jit)

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
        watch: EagerWatch | GraphWatch | None,
        traces: list[str],
        timed: bool,
    ) -> Side:
        side = Side(watch=watch)
        before = 0
        try:
            for _ in range(count):
                before = traces.count("begun")
                side.calls.append(self._one(call, gradients, watch, traces))
            if timed:
                side.seconds = _timed(call, [c.seconds for c in side.calls[1:]])
        except Exception as error:
            side.error = error
            begun = traces.count("begun")
            # what is no error of an op was raised by tf.function, which did not like what it traced
            side.tracing = begun > traces.count("done") or (begun > before and not is_op_error(error))
        self.box.restore()
        return side

    def _one(
        self,
        call: Callable[[], tuple[Any, list[Any]]],
        gradients: GradientWatch,
        watch: EagerWatch | GraphWatch | None,
        traces: list[str],
    ) -> Call:
        self.box.mark()
        before = traces.count("begun")
        with ExitStack() as stack:
            if isinstance(watch, EagerWatch):
                stack.enter_context(watch.on())
            begun = time.perf_counter()
            result, values = call()
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


def _timed(call: Callable[[], Any], known: list[float]) -> float:
    """Seconds of one call: the median of a few, as long as they are short."""
    found = list(known)
    while len(found) < len(known) + _TIMED_CALLS and sum(found) < _TIMED_SECONDS:
        begun = time.perf_counter()
        for _, value in flatten("", call()[0]):
            plain(value)  # waits for a device
        found.append(time.perf_counter() - begun)
    return statistics.median(found)


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
            return np.asarray(value.numpy())
        if hasattr(value, "values") and hasattr(value, "indices"):
            import tensorflow as tf

            return np.asarray(tf.convert_to_tensor(value))
    except Exception:  # a variant or a symbolic tensor has no value
        return None
    return value if type(value).__module__ == "numpy" else None
