"""What the step costs both ways: time and memory of one call, and the time of tracing.

The step is run as it is, with nothing handed out but what it returns: that a graph gives its gradients to the
comparison keeps all of them alive to its end, and ops from working in place.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from tapeinspect.probe.diff import memory
from tapeinspect.probe.diff.runs import Runner, flatten, plain
from tapeinspect.probe.tf_state import EqualSeeds, functions_eager

_SECONDS: Final = 0.4
_CALLS: Final = 7
"""Calls that are timed, as long as they take less than `_SECONDS` together."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one way to run the step."""

    seconds: float
    """Of one call, the first left out."""
    first_seconds: float
    """Of the first call, which may trace."""
    memory: int | None
    """Bytes that a call needs at most; None: cannot be measured here."""


def eager_cost(runner: Runner, gauge: memory.Gauge | None) -> Cost:
    """Of the step run op by op. Raises whatever it raises."""
    step = runner.step
    with functions_eager(True):
        return _cost(runner, lambda: step.function(*step.args, **step.kwargs), gauge)


def traced_cost(runner: Runner, gauge: memory.Gauge | None) -> Cost:
    """Of the step as a `tf.function`. Raises whatever it raises."""
    import tensorflow as tf

    step = runner.step
    function = tf.function(runner.converted(), autograph=False)
    with functions_eager(False):
        return _cost(runner, lambda: function(*step.args, **step.kwargs), gauge)


def _cost(runner: Runner, step: Callable[[], Any], gauge: memory.Gauge | None) -> Cost:
    def call() -> None:
        for _, value in flatten("", step()):
            plain(value)  # waits for a device

    try:
        with runner.seeded(EqualSeeds()):
            first = _took(call)
            found: list[float] = []
            while not found or (len(found) < _CALLS and sum(found) < _SECONDS):
                found.append(_took(call))
            peak = memory.peak_of(gauge, call) if gauge is not None else None
    finally:
        runner.box.restore()
    return Cost(statistics.median(found), first, peak)


def _took(call: Callable[[], None]) -> float:
    begun = time.perf_counter()
    call()
    return time.perf_counter() - begun
