"""What a comparison of eager and traced costs, beside one eager step and one trace of the same step.

    python -m tests.bench.bench_diff [ROUNDS]

For each step the two parts are measured alone first, each on a step that TensorFlow has not traced: one eager call
(the median of a few) and one trace (the first call of a `tf.function`, less a later one). The comparison then does
both, three calls each and a few more for the times, and once more with every op watched: `values` leaves that out.
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


def main() -> None:
    """Measure and print."""
    from tapeinspect.link.messages import Config
    from tapeinspect.probe.boot import Probe
    from tapeinspect.probe.diff.engine import Request, compare
    from tapeinspect.probe.errands import standing_still
    from tapeinspect.probe.step_function import StepFunction

    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    probe = Probe(Config(str(Path(tempfile.mkdtemp()) / "run.tape"), -1), None)
    probe.begin()
    recorder = probe.recorder
    wanted = {"whole": {"code": True}, "no code": {}, "values": {"ops": False}, "and XLA": {"xla": True}}
    print(f"{'step':<26}{'eager':>9}{'trace':>9}" + "".join(f"{name:>18}" for name in wanted))
    for title, make in STEPS.items():
        found: list[list[float]] = []
        for _ in range(rounds):
            with standing_still(recorder):
                eager, trace = parts(make)
            row = [eager, trace]
            for options in wanted.values():
                function, args = make()
                step = StepFunction(0, function, args, {}, function.__code__, True)
                request = Request(recorder.code.role, **options)  # type: ignore[arg-type]
                with standing_still(recorder):
                    row.append(_took(lambda step=step, request=request: compare(step, request)))
            found.append(row)
        eager, trace, *whole = (statistics.median(column) for column in zip(*found, strict=True))
        cells = "".join(f"{f'{s:.2f} s':>9}{f'{s / (eager + trace):.1f}x':>9}" for s in whole)
        print(f"{title:<26}{f'{eager * 1e3:.1f} ms':>9}{f'{trace:.2f} s':>9}{cells}")
    probe.end(None)
    print(f"x: relative to one eager step and one trace; medians of {rounds} rounds")


if __name__ == "__main__":
    main()
