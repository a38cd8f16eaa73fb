"""What it costs to watch a trace: for the time of a trace that was watched, told without it.

Python is slower throughout while calls are traced, by how much depends on the code. So one call's share is measured
once, on code like that which is watched: TensorFlow making ops.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

from tapeinspect.probe.autograph.watch import Watch

_OPS, _TIMES = 10, 3


def seconds_of(watch: Watch) -> float:
    """Seconds that watching took."""
    return watch.calls * _of_a_call()


@functools.cache
def _of_a_call() -> float:
    """Seconds that each call of a function takes longer while it is watched."""
    watch = Watch(_of_a_call.__wrapped__.__code__, lambda path: "library")
    watched = min(_made(watch.watching) for _ in range(_TIMES))
    plain = min(_made(nullcontext) for _ in range(_TIMES))
    return max(0.0, watched - plain) * _TIMES / max(1, watch.calls)


def _made(around: Callable[[], AbstractContextManager[None]]) -> float:
    """Seconds of this thread in which some ops are made; what else the machine does is left out."""
    import tensorflow as tf

    with tf.Graph().as_default():
        begun = time.thread_time()
        with around():
            value = tf.zeros((2, 2))
            for _ in range(_OPS):
                value = tf.nn.relu(tf.matmul(value, value) + 1.0)
        return time.thread_time() - begun
