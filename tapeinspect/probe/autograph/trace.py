"""Really traces a step, once, in a sandbox, while AutoGraph is watched."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tapeinspect.probe import tf_autograph
from tapeinspect.probe.autograph.watch import Seen, Watch
from tapeinspect.probe.diff import runs
from tapeinspect.probe.sandbox.sandbox import Sandbox, sandbox
from tapeinspect.probe.sandbox.used_up import refuse_what_uses_up
from tapeinspect.probe.step_function import StepFunction

if TYPE_CHECKING:
    from tapeinspect.probe.recorder import Recorder

_TRIAL = "tmp"
_OUTER = (__file__, runs.__file__)
"""Where a trace begins: what is further out on a stack is the script on its way here."""
Line = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Traced:
    """What came of tracing a step."""

    seen: Seen
    error: Exception | None
    """What the trace failed with."""
    concrete: Any
    """The concrete function; None when it failed."""
    ops: dict[Line, Counter[str]]
    """Types of the ops by the user's line that made them."""
    total: int
    """Ops in all graphs."""
    seconds: float


def trace(
    recorder: Recorder,
    target: StepFunction,
    then: Callable[[Sandbox, Traced], None] = lambda box, traced: None,
) -> Traced:
    """Trace a step with its arguments; `then` is called before everything that the trace changed is put back.

    Raises WorkRefused when that would use up what the script still needs.
    """
    import tensorflow as tf

    role = recorder.code.role
    watch = Watch(target.code, role)
    function = target.function
    if not target.converts:
        function = tf.autograph.experimental.do_not_convert(function)
    with sandbox(target.function, target.args, target.kwargs, role=role) as box:
        refuse_what_uses_up(box)
        begun = time.perf_counter()
        concrete, error = None, None
        with watch.watching():
            try:
                concrete = tf.function(function).get_concrete_function(*target.args, **target.kwargs)
            except Exception as problem:
                error = problem
        traced = summed_up(watch.seen, role, error, time.perf_counter() - begun, concrete)
        then(box, traced)
    return traced


def summed_up(
    seen: Seen,
    role: Callable[[str], str],
    error: Exception | None,
    seconds: float,
    concrete: Any = None,
) -> Traced:
    """What came of a trace that was watched."""
    graphs = [graph for graph in seen.graphs if not _is_trial(graph)]
    ops, total = _ops_by_line(graphs, seen, role)
    return Traced(seen, error, concrete, ops, total, seconds)


def _is_trial(graph: Any) -> bool:
    """Whether a graph is one that AutoGraph tries a loop out in and throws away."""
    while graph is not None:
        if getattr(graph, "name", None) == _TRIAL:
            return True
        graph = getattr(graph, "outer_graph", None)
    return False


def _ops_by_line(
    graphs: list[Any], seen: Seen, role: Callable[[str], str]
) -> tuple[dict[Line, Counter[str]], int]:
    """Types of ops by the innermost line of the user's that made them, bodies of loops and branches included."""
    found: defaultdict[Line, Counter[str]] = defaultdict(Counter)
    converted = set(seen.origins.values())
    total = 0
    for graph in graphs:
        for op in graph.get_operations():
            total += 1
            for place in _places(op, seen, role, converted):
                found[place][op.type] += 1
    return dict(found), total


def _places(op: Any, seen: Seen, role: Callable[[str], str], converted: set[str]) -> list[Line]:
    """The innermost line of the user's; and, inside of it, one of a library's function that was converted."""
    found: list[Line] = []
    for frame in reversed(op.traceback or ()):
        if frame.filename in _OUTER:
            break
        place = seen.original(frame.filename, frame.lineno)
        if place is None:
            continue
        if role(place[0]) == "user":
            return [*found, place]
        if place[0] in converted and not found:
            found.append(place)
    return found


def merge_lines(seen: Seen) -> Counter[Line]:
    """How often each line of the user's ran: of the generated lines that come from one, the busiest."""
    runs: Counter[Line] = Counter()
    for (path, line), count in seen.lines.items():
        place = seen.original(path, line)
        if place is not None:
            runs[place] = max(runs[place], count)
    return runs


def convertible(function: Any) -> Any:
    """What `tf.autograph.to_code` takes for a callable: the plain function of a method or of a called object."""
    if tf_autograph.is_plain_function(function):
        return getattr(function, "__func__", function)
    return type(function).__call__
