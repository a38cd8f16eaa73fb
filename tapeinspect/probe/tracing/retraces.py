"""Each trace of each tf.function: when, for what arguments, how long it took, and why it was made."""

from __future__ import annotations

import json
import os
import sys
import time
import weakref
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from types import CodeType
from typing import TYPE_CHECKING, Any

from tapeinspect.probe import tf_tracing
from tapeinspect.probe.tf_tracing import Tracing
from tapeinspect.probe.tracing import advice as retrace_advice
from tapeinspect.probe.tracing import signatures
from tapeinspect.probe.tracing.advice import Cause

if TYPE_CHECKING:
    from tapeinspect.probe.recorder import Recorder

_OURS = os.path.dirname(os.path.abspath(__file__)) + os.sep
_PROBE = os.path.dirname(os.path.dirname(_OURS)) + os.sep
_MANY = 3
"""A function is spoken of from this trace on."""
_CALLS_EACH = 4
"""A trace for every so many calls, or fewer, is too often."""
_REMEMBERED = 64
"""Earlier traces of one function that a later one is compared with."""
_FIRST = Cause("first", "it was called for the first time")


@dataclass(slots=True, eq=False)
class Traced:
    """One tf.function object."""

    id: int
    number: int = 0
    """Traces so far."""
    calls: list[Any] = field(default_factory=list)
    """Types that traces were looked up with, oldest first."""
    made: list[tuple[Any, Any, str]] = field(default_factory=list)
    """(type, context, scope) of each trace."""
    codes: Counter[str] = field(default_factory=Counter)
    """How often each cause was met."""


@dataclass(slots=True, eq=False)
class Sort:
    """All tf.function objects made of the same Python function."""

    objects: int = 0
    instances: bool = True
    """Each was a method of an object."""
    told: set[str] = field(default_factory=set)
    """Rules of the findings that were written, with their severity."""
    latest: Callable[[], Any] = lambda: None
    """The object that the latest was bound to."""


class TraceLog:
    """Writes down traces. The caller serialises."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._owners: dict[int, tuple[Any, Traced]] = {}
        self._sorts: dict[tuple[Any, ...], Sort] = {}
        self._objects = 0

    def around(self, tracing: Tracing, go_on: Callable[[], Any]) -> Any:
        """Let a trace be made, and write it down; one that fails is written with no nodes."""
        begun = time.perf_counter_ns()
        spent = self._recorder.spent
        done = None
        try:
            done = go_on()
            return done
        finally:
            took = time.perf_counter_ns() - begun - (self._recorder.spent - spent)
            self._recorder.guarded("retraces", self._write, tracing, done, max(0, took))

    def _write(self, tracing: Tracing, function: Any, took: int) -> None:
        recorder = self._recorder
        code = getattr(tracing.python_function, "__code__", None)
        role = recorder.code.role(code.co_filename) if code is not None else "library"
        callers = tf_tracing.mapped_stack()
        kind = _kind(tracing.name, role, callers, recorder.code.role)
        owner, is_new = self._owner(tracing.owner)
        owner.number += 1
        sort = self._sorts.setdefault(_made_of(tracing, code), Sort()) if code is not None else Sort()
        # each dataset traces its functions once, and nobody could make that of another one do
        cause = _FIRST if kind == "dataset" else self._cause(tracing, owner, sort, is_new)
        owner.calls.append(tracing.function_type)
        del owner.calls[:-_REMEMBERED]
        advice = retrace_advice.advise(tracing, cause, owner.calls)
        if function is not None:
            owner.made.append((_made(function, tracing), tracing.context, tracing.scope))
            del owner.made[:-_REMEMBERED]
        owner.codes[cause.code] += 1
        caller = next((c for c in callers if recorder.code.role(c[0]) == "user"), None)
        where = (recorder.code.file(caller[0]), caller[1]) if caller is not None else (None, None)
        self._row(tracing, function, code, (kind, owner, took, where), cause, advice)
        if kind == "function":
            self._tell(tracing, owner, sort, cause, advice, where)

    def _owner(self, owner: Any) -> tuple[Traced, bool]:
        known = self._owners.get(id(owner))
        if known is not None and known[0]() is owner:
            return known[1], False
        self._objects += 1
        made = Traced(self._objects)
        # Types are compared by value: by identity is how one tf.function is told from the next.
        self._owners[id(owner)] = (weakref.ref(owner), made)
        return made, True

    def _cause(self, tracing: Tracing, owner: Traced, sort: Sort, is_new: bool) -> Cause:
        if is_new:
            return _first(tracing, sort)
        if tracing.scope == "NO_VARIABLE_CREATION" and all(s == "VARIABLE_CREATION" for *_, s in owner.made):
            return Cause(
                "variables",
                "variables were created in the first call; TensorFlow traces once more without making any",
            )
        return _compared(tracing, owner)

    def _row(
        self,
        tracing: Tracing,
        function: Any,
        code: CodeType | None,
        about: tuple[str, Traced, int, tuple[int | None, int | None]],
        cause: Cause,
        advice: retrace_advice.Advice,
    ) -> None:
        recorder, sink = self._recorder, self._recorder.sink
        kind, owner, took, where = about
        file = recorder.code.file(code.co_filename) if code is not None else None
        line = code.co_firstlineno if code is not None else None
        shown = getattr(function, "function_type", None) or tracing.target_type
        nodes = len(function.graph.get_operations()) if function is not None else 0
        stack = recorder.code.stack(_outside(sys._getframe())).id
        sink.add(
            "trace",
            (
                sink.next_id("trace"), tracing.name, file, line, str(shown)[:2000], nodes,
                recorder.state().tracker.current, sink.next_op() - 1, stack, kind, owner.id, owner.number,
                took / 1e9, *where, json.dumps(signatures.described(tracing.function_type)),
                cause.code, cause.path or None, cause.text, advice.text, advice.checked,
            ),
        )  # fmt: skip

    def _tell(
        self,
        tracing: Tracing,
        owner: Traced,
        sort: Sort,
        cause: Cause,
        advice: retrace_advice.Advice,
        where: tuple[int | None, int | None],
    ) -> None:
        """Write a finding when a function is traced again and again."""
        again = sort.objects if cause.code in ("new-function", "instance") else owner.number
        if again < _MANY or cause.code in ("first", "variables"):
            return
        calls = self._recorder.graph_log.runs[tracing.name] + 1
        severity = "warning" if calls <= again * _CALLS_EACH else "info"
        if severity == "info" and owner.codes[cause.code] < _MANY:
            return
        rule = f"retrace-{cause.code}"
        if {f"{rule} {severity}", f"{rule} warning"} & sort.told:
            return
        sort.told.add(f"{rule} {severity}")
        sink = self._recorder.sink
        each = " of the same Python function" if cause.code in ("new-function", "instance") else ""
        message = f"{tracing.name} is traced again: {cause.text}. Trace {again}{each} in {calls} calls."
        step = self._recorder.state().tracker.current
        row = (sink.next_id("finding"), rule, severity, step, None, *where, message, advice.sentence())
        sink.add("finding", row)


def _outside(frame: Any) -> Any:
    """The frame that asked for the trace."""
    while frame is not None and frame.f_code.co_filename.startswith(_OURS):
        frame = frame.f_back
    return frame


def _kind(name: str, role: str, callers: list[tuple[str, int]], role_of: Callable[[str], str]) -> str:
    paths = [path for path, _ in callers if not path.startswith(_PROBE)]
    if any("tensorflow/python/data/" in path.replace("\\", "/") for path in paths):
        # Keras' `fit` makes datasets, too, and an iterator for several devices is made of functions of its own
        asked = next((path for path in paths if "tensorflow/python/" not in path.replace("\\", "/")), "")
        return "dataset" if role_of(asked) == "user" and name.startswith("Dataset") else "library"
    return "library" if role == "library" else "function"


def _made(function: Any, tracing: Tracing) -> Any:
    return getattr(function, "function_type", None) or tracing.target_type


def _first(tracing: Tracing, sort: Sort) -> Cause:
    """The first trace of a tf.function; it may be one of many made of the same Python function."""
    target, name = tf_tracing.bound_to(tracing.python_function)
    sort.objects += 1
    sort.instances = sort.instances and bool(name)
    latest, sort.latest = sort.latest(), _weak(target)
    if sort.objects == 1:
        return _FIRST
    if sort.instances and (target is None or target is not latest):
        text = f"it is a method of another {name} object, which has a tf.function of its own"
        return Cause("instance", text, "self")
    return Cause("new-function", f"a tf.function was made anew of the same Python function {tracing.name}")


def _made_of(tracing: Tracing, code: CodeType) -> tuple[Any, ...]:
    """What tf.functions made of the same Python function share: a decorator's wrapper differs in what it wraps."""
    cells = getattr(tracing.python_function, "__closure__", None) or ()
    wrapped = [getattr(_content(cell), "__code__", None) for cell in cells]
    inner = tuple((found.co_filename, found.co_firstlineno) for found in wrapped if found is not None)
    return (tracing.name, code.co_filename, code.co_firstlineno, inner)


def _content(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # bound later
        return None


def _weak(target: Any) -> Callable[[], Any]:
    try:
        return weakref.ref(target)
    except TypeError:
        return lambda: None


def _compared(tracing: Tracing, owner: Traced) -> Cause:
    """Why no earlier trace fits: in what the nearest one differs."""
    best: Cause | None = None
    fewest = 1 << 30
    for made, context, _ in reversed(owner.made):
        found = signatures.differences(tracing.function_type, made)
        around = [] if context == tracing.context else [_surroundings(tracing.context, context)]
        count = len(found) + len(around)
        if 0 < count < fewest:
            fewest = count
            best = Cause.of(found) if found else around[0]
    return best or Cause("unknown", "TensorFlow does not say why")


def _surroundings(after: Any, before: Any) -> Cause:
    """What is different around a call: the device, the strategy, the graph."""
    mine, theirs = getattr(after, "context", None), getattr(before, "context", None)
    for name, code, text in (
        ("device_functions", "device", "it was called on another device"),
        (
            "in_cross_replica_context",
            "replica",
            "it was called in another context of the tf.distribute strategy",
        ),
        ("xla_context_id", "graph", "it was called inside another XLA context"),
        ("parent_graph", "graph", "it was called from another graph"),
    ):
        if getattr(mine, name, None) != getattr(theirs, name, None):
            return Cause(code, text)
    if getattr(after, "scope_type", None) != getattr(before, "scope_type", None):
        return Cause("variables", "the first call created variables, which no later trace may")
    return Cause("surroundings", "what surrounds the call is different: devices, strategy or saving")
