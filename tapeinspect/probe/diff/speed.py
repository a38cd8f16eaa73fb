"""What the step costs both ways: time and memory of one call, and the time of tracing.

Times are those of the calls that were compared, the first one left out. They run as they are, save that the graph
returns its gradients besides what the step returns. That keeps all of them alive to its end, and ops from working in
place, so the graph's memory is measured on a function of the same graph that returns what the step returns. The trace
is the one that was watched, less what watching cost.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from tapeinspect.probe import tf_outputs, tf_private
from tapeinspect.probe.diff import memory
from tapeinspect.probe.diff.runs import Runner, Side, took
from tapeinspect.probe.tf_state import EqualSeeds, functions_eager

SECONDS: Final = 0.05
"""How long each way is called for its time, at most."""
_LEAST, _MOST, _SHARE = 0.02, 0.2, 0.05
"""How long a graph is called for its memory: seconds at least and at most, and a share of the trace on top."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one way to run the step."""

    seconds: float | None
    """Of one call; None: it runs no second time."""
    memory: int | None
    """Bytes that a call needs at most; None: cannot be measured here."""
    trace_seconds: float | None = None
    """None: it is not traced."""


def eager_cost(side: Side) -> Cost:
    """Of the step run op by op."""
    seconds = statistics.median(side.times) if side.times else None
    return Cost(seconds, side.memory)


def traced_cost(runner: Runner, side: Side, gauge: memory.Gauge | None, watching: float) -> Cost:
    """Of the step as a `tf.function`. watching: seconds of the trace that are ours. Raises whatever the step raises."""
    seconds = statistics.median(side.times)
    trace = max(0.0, side.calls[0].seconds - seconds - watching)
    return Cost(seconds, _peak(runner, side, gauge, trace) if gauge is not None else None, trace)


def _peak(runner: Runner, side: Side, gauge: memory.Gauge, trace: float) -> int:
    step, function = runner.step, _plain(runner, side)

    def call() -> None:
        took(lambda: function(*step.args, **step.kwargs))

    try:
        with runner.seeded(EqualSeeds()), functions_eager(False):
            call()
            return memory.peak_of(gauge, call, min(_MOST, _LEAST + _SHARE * trace))
    finally:
        runner.box.restore()


def _plain(runner: Runner, side: Side) -> Callable[..., Any]:
    """The traced step that returns nothing on top: made of the graph there is, else traced once more."""
    import tensorflow as tf

    if tf_private.available().get(tf_outputs.CAPABILITY):
        try:
            concrete = side.concrete()
            if concrete is not None:
                return tf_outputs.giving(concrete, tf_outputs.own_outputs(concrete, 0))
        except (
            TypeError,
            ValueError,
            AttributeError,
            LookupError,
        ):  # a private function that works otherwise
            pass
    traced: Callable[..., Any] = tf.function(runner.converted(), autograph=False)
    return traced
