"""What a comparison of eager and traced costs, beside one eager step and one trace of the same step.

    python -m tests.bench.bench_diff [ROUNDS]

For each step the two parts are measured alone first, each on a step that TensorFlow has not traced: one eager call
(the median of a few) and one trace (the first call of a `tf.function`, less a later one). The comparison traces the
step once, in front of what AutoGraph and each op are watched by, and calls it three times each way. The values of the
graph's ops, and its memory, are then taken from two more functions of the same graph. `no code` watches no AutoGraph,
`no ops` no op.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROUNDS = 3
CALLS = 5


def small() -> tuple[Callable[..., Any], tuple[Any, ...]]:
    """The step of the tutorials: one weight, ten ops."""
    import tensorflow as tf

    weight = tf.Variable(tf.ones((2, 1)))

    def step(x: Any) -> Any:
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(x @ weight))
        weight.assign_sub(0.1 * tape.gradient(loss, weight))
        return loss

    return step, (tf.ones((8, 2)),)


def layers(depth: int, width: int, batch: int) -> tuple[Callable[..., Any], tuple[Any, ...]]:
    """Dense layers of Keras under Adam."""
    import tensorflow as tf

    stack = [tf.keras.layers.Dense(width, "relu") for _ in range(depth)]
    model = tf.keras.Sequential([tf.keras.Input((width,)), *stack, tf.keras.layers.Dense(1)])
    optimizer = tf.keras.optimizers.Adam()
    optimizer.build(model.trainable_variables)

    def step(x: Any, y: Any) -> Any:
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(model(x, training=True) - y))
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        return loss

    return step, (tf.random.normal((batch, width)), tf.random.normal((batch, 1)))


STEPS: dict[str, Callable[[], tuple[Callable[..., Any], tuple[Any, ...]]]] = {
    "tutorial, 1 variable": small,
    "Keras, 4 layers of 64": lambda: layers(4, 64, 32),
    "Keras, 40 layers of 64": lambda: layers(40, 64, 32),
    "Keras, 4 layers of 1024": lambda: layers(4, 1024, 256),
}


def _took(way: Callable[[], Any]) -> float:
    begun = time.perf_counter()
    way()
    return time.perf_counter() - begun


def parts(make: Callable[[], tuple[Callable[..., Any], tuple[Any, ...]]]) -> tuple[float, float]:
    """Seconds of one eager call and of one trace."""
    import tensorflow as tf

    from tapeinspect.probe.tf_state import functions_eager

    function, args = make()
    function(*args)
    eager = statistics.median(_took(lambda: function(*args)) for _ in range(CALLS))
    traced = tf.function(function)
    with functions_eager(False):  # the recorder has them run op by op
        first = _took(lambda: traced(*args))
        later = statistics.median(_took(lambda: traced(*args)) for _ in range(CALLS))
    return eager, max(0.0, first - later)


PARTS = ("tracing", "running eagerly", "op by op", "measuring memory")


class Clock:
    """Seconds of each part of a comparison; what it tells nothing of belongs to the part before."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._part, self._since = "", time.perf_counter()

    def tell(self, part: str) -> None:
        """Another part begins."""
        at = time.perf_counter()
        self.seconds[self._part] = self.seconds.get(self._part, 0.0) + at - self._since
        self._part, self._since = part, at


WANTED: dict[str, dict[str, bool]] = {
    "whole": {"code": True},
    "no code": {},
    "no ops": {"ops": False},
    "and XLA": {"xla": True},
}


def measured(
    recorder: Any, make: Callable[[], tuple[Callable[..., Any], tuple[Any, ...]]]
) -> dict[str, float]:
    """Seconds of one round: of the eager step, of the trace, of each kind of comparison, of the parts of the whole."""
    from tapeinspect.probe.diff.engine import Request, compare
    from tapeinspect.probe.errands import standing_still
    from tapeinspect.probe.step_function import StepFunction

    found: dict[str, float] = {}
    with standing_still(recorder):
        found["eager"], found["trace"] = parts(make)
    for name, options in WANTED.items():
        function, args = make()
        step = StepFunction(0, function, args, {}, function.__code__, True)
        clock = Clock()
        request = Request(recorder.code.role, tell=clock.tell, **options)  # type: ignore[arg-type]
        with standing_still(recorder):
            found[name] = _took(lambda step=step, request=request: compare(step, request))
        if name == "whole":
            clock.tell("")
            found |= {part: clock.seconds.get(part, 0.0) for part in PARTS}
    return found


def main() -> None:
    """Measure and print."""
    from tapeinspect.link.messages import Config
    from tapeinspect.probe.boot import Probe

    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    probe = Probe(Config(str(Path(tempfile.mkdtemp()) / "run.tape"), -1), None)
    probe.begin()
    columns = (*WANTED, *PARTS)
    print(f"{'step':<26}{'eager':>9}{'trace':>9}{'':>9}" + "".join(f"{name:>18}" for name in columns))
    for title, make in STEPS.items():
        found = [measured(probe.recorder, make) for _ in range(rounds)]
        middle = {name: statistics.median(row[name] for row in found) for name in found[0]}
        one = middle["eager"] + middle["trace"]
        cells = "".join(f"{middle[name] / one:>17.1f}x" for name in columns)
        took = f"{middle['whole']:.2f} s"
        print(f"{title:<26}{middle['eager'] * 1e3:>6.1f} ms{middle['trace']:>7.2f} s{took:>9}{cells}")
    probe.end(None)
    print(
        f"x: relative to one eager step and one trace; medians of {rounds} rounds. The last four are parts of the whole"
    )


if __name__ == "__main__":
    main()
