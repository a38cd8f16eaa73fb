"""What the constructs of converted code did while it was traced, told by AutoGraph's own operators."""

from __future__ import annotations

import _thread
from collections.abc import Callable
from dataclasses import dataclass, field
from types import CodeType
from typing import Any

from tapeinspect.probe import tf_autograph

Wrapper = Callable[..., Any]


@dataclass(slots=True, eq=False)
class Event:
    """One time that an operator ran."""

    operator: str
    path: str
    """The generated file."""
    line: int
    graph: bool = False
    """It put ops into the graph rather than being decided in Python."""
    turns: int = 0
    """Times the body of a loop ran."""
    branch: str = ""
    """The Python branch that was taken."""
    variables: list[tuple[str, str, str | None]] = field(default_factory=list)
    """(name, dtype and shape, shape invariant) of what a loop or branch of the graph carries."""
    over: str = ""
    """What a loop goes over, in words."""
    code: CodeType | None = None
    instruction: int = 0
    """Where in `line` it stands, as Python knows it."""
    operands: list[bool] = field(default_factory=list)
    """Of what was evaluated: whether it is a tensor."""


class Operators:
    """Wraps what generated code calls instead of Python's constructs."""

    def __init__(self, thread: int, tell: Callable[[Event], None]) -> None:
        self._thread = thread
        self._tell = tell

    def install(self, namespace: Any) -> list[Callable[[], None]]:
        """Put the wrappers into the module that generated code calls; returns what undoes it."""
        wrappers: dict[str, Callable[[Wrapper], Wrapper]] = {
            "if_stmt": self._if_stmt,
            "if_exp": self._if_exp,
            "while_stmt": self._while_stmt,
            "for_stmt": self._for_stmt,
            "and_": self._lazy("and_"),
            "or_": self._lazy("or_"),
            "not_": self._not,
            "assert_stmt": self._assert,
            "list_append": self._append,
        }
        return [
            tf_autograph.replace(namespace, name, make)
            for name, make in wrappers.items()
            if hasattr(namespace, name)
        ]

    def _event(self, operator: str) -> Event | None:
        """The event that begins where the operator is called; None when nobody is to hear of it."""
        if _thread.get_ident() != self._thread or tf_autograph.in_trial():
            return None
        frame = tf_autograph.calling_frame()
        event = Event(operator, frame.f_code.co_filename, frame.f_lineno)
        event.code, event.instruction = frame.f_code, frame.f_lasti
        self._tell(event)
        return event

    def _if_stmt(self, original: Wrapper) -> Wrapper:
        def if_stmt(
            cond: Any, body: Any, orelse: Any, get_state: Any, set_state: Any, names: Any, nouts: Any
        ) -> Any:
            event = self._event("if")
            if event is None:
                return original(cond, body, orelse, get_state, set_state, names, nouts)
            if tf_autograph.is_tensor(cond):
                event.graph = True
                original(cond, body, orelse, get_state, set_state, names, nouts)
                event.variables = _state(get_state, names[:nouts])
                return None
            taken = _noting(event, "if", body), _noting(event, "else", orelse)
            return original(cond, *taken, get_state, set_state, names, nouts)

        return if_stmt

    def _if_exp(self, original: Wrapper) -> Wrapper:
        def if_exp(cond: Any, if_true: Any, if_false: Any, text: Any) -> Any:
            event = self._event("conditional")
            if event is None:
                return original(cond, if_true, if_false, text)
            event.graph = tf_autograph.is_tensor(cond)
            event.operands = [event.graph]
            if event.graph:
                return original(cond, if_true, if_false, text)
            return original(cond, _noting(event, "if", if_true), _noting(event, "else", if_false), text)

        return if_exp

    def _while_stmt(self, original: Wrapper) -> Wrapper:
        def while_stmt(test: Any, body: Any, get_state: Any, set_state: Any, names: Any, opts: Any) -> Any:
            event = self._event("while")
            if event is None:
                return original(test, body, get_state, set_state, names, opts)
            first = True

            def testing() -> Any:
                nonlocal first
                result = test()
                if first:
                    first = False
                    event.graph = tf_autograph.is_tensor(result)
                    if event.graph:
                        event.variables = _state(get_state, names, opts)
                return result

            return original(testing, _counting(event, body), get_state, set_state, names, opts)

        return while_stmt

    def _for_stmt(self, original: Wrapper) -> Wrapper:
        def for_stmt(
            iter_: Any, extra_test: Any, body: Any, get_state: Any, set_state: Any, names: Any, opts: Any
        ) -> Any:
            event = self._event("for")
            if event is None:
                return original(iter_, extra_test, body, get_state, set_state, names, opts)
            event.over = tf_autograph.graph_iterable(iter_) or ""
            event.graph = bool(event.over)
            if event.graph:
                event.variables = _state(get_state, names, opts)
            else:
                event.over = type(iter_).__name__
            return original(iter_, extra_test, _counting(event, body), get_state, set_state, names, opts)

        return for_stmt

    def _lazy(self, operator: str) -> Callable[[Wrapper], Wrapper]:
        def make(original: Wrapper) -> Wrapper:
            def lazy(a: Any, b: Any) -> Any:
                event = self._event(operator.rstrip("_"))
                if event is None:
                    return original(a, b)

                def left() -> Any:
                    value = a()
                    event.graph = tf_autograph.is_tensor(value)
                    event.operands = [event.graph]
                    return value

                def right() -> Any:
                    value = b()
                    event.operands = [event.graph, tf_autograph.is_tensor(value)]
                    return value

                return original(left, right)

            return lazy

        return make

    def _not(self, original: Wrapper) -> Wrapper:
        def not_(a: Any) -> Any:
            event = self._event("not")
            if event is not None:
                event.graph = tf_autograph.is_tensor(a)
                event.operands = [event.graph]
            return original(a)

        return not_

    def _assert(self, original: Wrapper) -> Wrapper:
        def assert_stmt(expression: Any, message: Any) -> Any:
            event = self._event("assert")
            if event is not None:
                event.graph = tf_autograph.is_tensor(expression)
            return original(expression, message)

        return assert_stmt

    def _append(self, original: Wrapper) -> Wrapper:
        def list_append(list_: Any, x: Any) -> Any:
            event = self._event("append")
            if event is not None:
                event.graph = not isinstance(list_, list)
            return original(list_, x)

        return list_append


def _noting(event: Event, branch: str, run: Callable[[], Any]) -> Callable[[], Any]:
    def noting() -> Any:
        event.branch = branch
        return run()

    return noting


def _counting(event: Event, body: Callable[..., Any]) -> Callable[..., Any]:
    def counting(*args: Any) -> Any:
        event.turns += 1
        return body(*args)

    return counting


def _state(get_state: Callable[[], Any], names: Any, opts: Any = None) -> list[tuple[str, str, str | None]]:
    """The variables that a loop or branch carries; AutoGraph itself reads them the same way."""
    try:
        values = tuple(get_state())
    except Exception:  # a variable that cannot be read has its own error, which AutoGraph words
        return []
    invariants = {}
    for pair in (opts or {}).get("shape_invariants", ()):
        if isinstance(pair, tuple) and len(pair) == 2:
            invariants[id(pair[0])] = str(pair[1])
    return [
        (str(name), tf_autograph.describe(value), invariants.get(id(value)))
        for name, value in zip(names, values, strict=False)
    ]
