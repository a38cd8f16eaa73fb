"""What it costs to look at AutoGraph: a trace that is watched beside TensorFlow's own trace of the same step.

    python -m tests.bench.bench_autograph [FUNCTIONS]

The step has 300 lines in 40 functions (or as many as asked for) that call each other. Three ways take turns, each on
fresh copies of the functions, since AutoGraph keeps what it has converted: TensorFlow's own trace; the same with
AutoGraph watched; and the whole work, with the sandbox around it and the rows written.
"""

from __future__ import annotations

import importlib.util
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROUNDS = 5
_FUNCTION = """
def part_{n}(x):
    if tf.reduce_sum(x) > {n}.0:
        y = x * {n}.0
    else:
        y = x + 1.0
    for i in range(2):
        y = y + tf.cast(i, tf.float32)
    return y
"""


def source(functions: int) -> str:
    """A module with a step that calls so many functions."""
    parts = "".join(_FUNCTION.format(n=n) for n in range(functions))
    calls = "".join(f"        x = part_{n}(x)\n" for n in range(functions))
    head = "import tensorflow as tf\nweight = tf.Variable([1.0, 2.0])\n"
    tail = "    weight.assign_sub(0.1 * tape.gradient(loss, weight))\n    return loss\n"
    step = "def step(x):\n    with tf.GradientTape() as tape:\n        x = x * weight\n"
    return f"{head}{parts}{step}{calls}        loss = tf.reduce_sum(x)\n{tail}"


def fresh(folder: Path, functions: int, number: int) -> Any:
    """A copy of the module that AutoGraph has not seen."""
    path = folder / f"copy_{number}.py"
    path.write_text(source(functions), "utf-8")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


def main() -> None:
    """Measure and print."""
    import tensorflow as tf

    from tapeinspect.link.messages import Config
    from tapeinspect.probe.autograph import trace as autograph_trace
    from tapeinspect.probe.autograph import work as autograph_work
    from tapeinspect.probe.boot import Probe
    from tapeinspect.probe.errands import standing_still
    from tapeinspect.probe.step_function import StepFunction

    functions = int(sys.argv[1]) if len(sys.argv) > 1 else 40
    folder = Path(tempfile.mkdtemp())
    probe = Probe(Config(str(folder / "run.tape"), -1), None)
    probe.begin()
    recorder = probe.recorder
    value = tf.constant([1.0, 2.0])

    def alone(module: Any) -> None:
        tf.function(module.step).get_concrete_function(value)

    def target(module: Any) -> StepFunction:
        return StepFunction(0, module.step, (value,), {}, module.step.__code__, True)

    ways: dict[str, Callable[[Any], Any]] = {
        "TensorFlow's own trace": alone,
        "watched": lambda module: autograph_trace.trace(recorder, target(module)),
        "the whole work": lambda module: autograph_work.look_at(recorder, target(module)),
    }
    took: dict[str, list[float]] = {name: [] for name in ways}
    number = 0
    for turn in range(ROUNDS + 1):
        for name, way in ways.items():
            module, number = fresh(folder, functions, number), number + 1
            with standing_still(recorder):
                begun = time.perf_counter()
                way(module)
                if turn:  # the first warms up
                    took[name].append(time.perf_counter() - begun)
    probe.end(None)
    base = statistics.median(took["TensorFlow's own trace"])
    lines = source(functions).count("\n")
    print(f"a step of {lines} lines in {functions + 1} functions, medians of {ROUNDS} rounds")
    for name, seconds in took.items():
        median = statistics.median(seconds)
        print(
            f"{name:<24} {median:6.2f} s  {median / base:5.2f}x  ({min(seconds):.2f} to {max(seconds):.2f} s)"
        )


if __name__ == "__main__":
    main()
