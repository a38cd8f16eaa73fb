"""Watches AutoGraph at work while a step is traced: what it converts, who calls it, and what each construct does."""

from __future__ import annotations

import _thread
import copy
import functools
import itertools
import sys
import time
from collections import Counter
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import BuiltinFunctionType, CodeType, FrameType
from typing import Any

from tapeinspect.probe import tf_autograph, tf_private
from tapeinspect.probe.autograph.events import Event, Operators
from tapeinspect.probe.step_function import unwrap

LineTracer = Callable[[FrameType, str, Any], Any]


@dataclass(slots=True, eq=False)
class Met:
    """A callable that the trace met."""

    function: Any
    caller: CodeType | None
    """The generated or user's code that called it first."""
    call_path: str | None
    call_line: int | None
    """Where that was, in the file that ran."""
    calls: int = 1
    converted: Any = None
    """What AutoGraph made of it."""
    error: Exception | None = None
    """Why AutoGraph, which tried, could not convert it."""
    inside: bool = False
    """It ran without AutoGraph being asked, called by a library."""
    disabled: bool = False
    """AutoGraph was off where it was called."""
    through: Hashable = None
    """The key of what AutoGraph was deciding on when a library called this: a tf.function, say."""
    told: bool = False
    """`do_not_convert` stands around it."""


@dataclass(slots=True)
class Seen:
    """All that was seen of one trace."""

    met: dict[Hashable, Met] = field(default_factory=dict)
    """By the id of what tells one function from another: its code, or itself. In the order they were met."""
    lines: Counter[tuple[str, int]] = field(default_factory=Counter)
    """How often each line ran, by file and line as they ran: generated files and the user's."""
    events: list[Event] = field(default_factory=list)
    graphs: list[Any] = field(default_factory=list)
    maps: dict[str, dict[int, int]] = field(default_factory=dict)
    """For each generated file: line -> line of the original file."""
    origins: dict[str, str] = field(default_factory=dict)
    """Generated file -> original file."""
    lambdas: dict[int, CodeType] = field(default_factory=dict)
    """Lambdas of generated code that were called, by the id of their code."""
    keep: list[Any] = field(default_factory=list)
    """What ids are of, so that they stay true."""
    convert_ns: int = 0

    def original(self, path: str, line: int | None) -> tuple[str, int] | None:
        """The user's line that a generated line comes from; a line of a file that was not generated as it is."""
        if line is None:
            return None
        if path not in self.maps:
            return None if tf_autograph.is_generated(path) else (path, line)
        found = self.maps[path].get(line)
        return None if found is None else (self.origins[path], found)


class Watch:
    """The hooks. One thread is watched; what others do passes through."""

    def __init__(self, root: CodeType, role: Callable[[str], str], also: LineTracer | None = None) -> None:
        """`also` hears of the same lines, and of the returns, as a function that traces a frame for Python does."""
        self.seen = Seen()
        self._also = also
        self._root = root
        self._role = role
        self._interest: dict[int, str | None] = {}
        self._thread = _thread.get_ident()
        self._undo: list[Callable[[], None]] = []
        self._has_own_gradient = False
        """A gradient of the user's may run on the way back."""
        self._codes: list[CodeType] = []
        """Those whose ids are in `_interest`."""
        self._ticks = itertools.count()
        self._on_call = self._make_on_call()
        self._asked: list[Any] = []
        """The callables that AutoGraph is deciding on, outermost first."""

    @property
    def calls(self) -> int:
        """Calls of functions that Python told of."""
        return copy.copy(self._ticks).__next__()

    def begin(self) -> None:
        """The function is traced from the start: forget an earlier trace, such as one that made variables."""
        self.seen = Seen(maps=self.seen.maps, origins=self.seen.origins, convert_ns=self.seen.convert_ns)

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Watch this thread inside."""
        before = sys.gettrace()
        self._install()
        tf_private.add_op_callback(self._on_op)
        sys.settrace(self._on_call)
        try:
            yield
        finally:
            sys.settrace(before)
            tf_private.remove_op_callback(self._on_op)
            while self._undo:
                self._undo.pop()()

    def _install(self) -> None:
        api, namespace = tf_autograph.api(), tf_autograph.namespace()
        for owner in (api, namespace):
            self._undo.append(tf_autograph.replace(owner, "converted_call", self._converted_call))
        self._undo.append(tf_autograph.replace(api, "_convert_actual", self._convert_actual))
        self._undo.append(tf_autograph.replace(api, "_fall_back_unconverted", self._fall_back))
        operators = Operators(self._thread, lambda event: self.seen.events.append(event))
        self._undo += operators.install(namespace)

    def _converted_call(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def converted_call(f: Any, *args: Any, **kwargs: Any) -> Any:
            if _thread.get_ident() != self._thread:
                return original(f, *args, **kwargs)
            if not self._asked and tf_autograph.code_of(f) is self._root:
                self.begin()
            self._meet(f, tf_autograph.calling_frame())
            self._asked.append(f)
            quiet = self._is_quiet(f, args)
            if quiet:  # being traced makes Python twice as slow, and nothing of the user's runs in there
                sys.settrace(None)
            try:
                return original(f, *args, **kwargs)
            finally:
                self._asked.pop()
                if quiet:
                    sys.settrace(self._on_call)

        return converted_call

    def _is_quiet(self, function: Any, args: tuple[Any, ...]) -> bool:
        """Whether a call is TensorFlow's own affair: it is given no function that it could call back."""
        module = getattr(function, "__module__", None) or ""
        if not module.startswith("tensorflow.") or not tf_autograph.is_plain_function(function):
            return False
        owner = getattr(function, "__self__", None)
        if owner is not None:
            owner = owner if isinstance(owner, type) else type(owner)
            if not owner.__module__.startswith("tensorflow.") or self._has_own_gradient:
                return False
        return not any(_holds_callable(value) for value in args)

    def _convert_actual(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def convert_actual(entity: Any, context: Any) -> Any:
            if _thread.get_ident() != self._thread:
                return original(entity, context)
            begun = time.perf_counter_ns()
            sys.settrace(None)  # AutoGraph's own work is calls over calls
            try:
                converted = original(entity, context)
            finally:
                sys.settrace(self._on_call)
                self.seen.convert_ns += time.perf_counter_ns() - begun
            code = getattr(entity, "__code__", None)
            self.seen.maps.setdefault(converted.__code__.co_filename, tf_autograph.source_map(converted))
            self.seen.origins[converted.__code__.co_filename] = code.co_filename if code is not None else ""
            met = self.seen.met.get(key_of(entity)) or self.seen.met.get(
                key_of(self._asked[-1] if self._asked else None)
            )
            if met is not None:
                met.converted = converted
            return converted

        return convert_actual

    def _fall_back(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def fall_back(f: Any, args: Any, kwargs: Any, options: Any, error: Exception) -> Any:
            met = self.seen.met.get(key_of(f))
            if met is not None and _thread.get_ident() == self._thread:
                met.error = error
            return original(f, args, kwargs, options, error)

        return fall_back

    def _meet(self, function: Any, caller: FrameType) -> None:
        """A callable is handed to AutoGraph."""
        function = _partial_target(function)
        told = tf_autograph.is_told_not_to_convert(function)
        hidden = told or isinstance(function, functools._lru_cache_wrapper)
        key = key_of(unwrap(function) or function if hidden else function)
        known = self.seen.met.get(key)
        if known is not None:
            known.calls += 1
            if known.inside:
                known.function, known.inside = function, False
            return
        self.seen.keep.append(function)
        met = Met(function, *self._place(caller))
        met.told, met.disabled = told, tf_autograph.is_disabled()
        if met.caller is None and self._asked:
            met.through = key_of(self._asked[-1])
        self.seen.met[key] = met

    def _place(self, frame: FrameType | None) -> tuple[CodeType | None, str | None, int | None]:
        """The code, file and line of a frame, if it is one whose lines count."""
        if frame is None or self._is_of_interest(frame.f_code) is None:
            return None, None, None
        return frame.f_code, frame.f_code.co_filename, frame.f_lineno

    def _on_op(
        self, op_type: Any, inputs: Any, attrs: Any, outputs: Any, op_name: Any = None, graph: Any = None
    ) -> None:
        self._has_own_gradient = self._has_own_gradient or op_type in _OWN_GRADIENT
        if graph is not None and (not self.seen.graphs or self.seen.graphs[-1] is not graph):
            graphs = self.seen.graphs
            if not any(known is graph for known in graphs):
                graphs.append(graph)

    def _is_of_interest(self, code: CodeType) -> str | None:
        """'generated' or 'user' for code whose lines are counted."""
        key = id(code)
        if key not in self._interest:
            self._codes.append(code)
            path = code.co_filename
            role = "generated" if tf_autograph.is_generated(path) else self._role(path)
            self._interest[key] = role if role in ("generated", "user") else None
        return self._interest[key]

    def _make_on_call(self) -> Callable[[FrameType, str, Any], Any]:
        """What Python calls for every call while a function is traced, nearly all of them TensorFlow's own."""
        interest, get_interest, on_line, ran = self._interest, self._interest.get, self._on_line, self._ran
        find, tick = self._is_of_interest, self._ticks.__next__

        def on_call(frame: FrameType, event: str, argument: Any) -> Any:
            tick()
            code = frame.f_code
            role = get_interest(id(code), "")
            if role is None:
                return None
            if not role:
                find(code)
                role = interest[id(code)]
                if role is None:
                    return None
            if role == "user":
                ran(frame)
            elif code.co_name == "<lambda>":
                self.seen.lambdas[id(code)] = code
            return on_line

        return on_call

    def _ran(self, frame: FrameType) -> None:
        """A function of the user's runs as written."""
        code = frame.f_code
        if code is self._root and _outermost(frame):
            self.begin()
        known = self.seen.met.get(id(code))
        if known is not None or code.co_name in _PARTS or code.co_filename.startswith("<"):
            if known is not None and known.inside:
                known.calls += 1
            return
        caller = frame.f_back
        while caller is not None and self._is_of_interest(caller.f_code) is None:
            caller = caller.f_back
        self.seen.keep.append(code)
        met = Met(code, *self._place(caller))
        met.inside, met.disabled = True, tf_autograph.is_disabled()
        self.seen.met[id(code)] = met

    def _on_line(self, frame: FrameType, event: str, argument: Any) -> Any:
        if event == "line":
            self.seen.lines[frame.f_code.co_filename, frame.f_lineno] += 1
        if self._also is not None:
            self._also(frame, event, argument)
        return self._on_line


_OWN_GRADIENT = ("IdentityN", b"IdentityN")
"""What tf.custom_gradient puts into the graph."""
_PARTS = ("<module>", "<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>")
"""Code objects that are a part of the function around them."""


def _holds_callable(value: Any) -> bool:
    """Whether a function, or an object that can be called, is among arguments."""
    if isinstance(value, (list, tuple)):
        return any(_holds_callable(item) for item in value)
    if isinstance(value, dict):
        return any(_holds_callable(item) for item in value.values())
    return callable(value)


def _outermost(frame: FrameType) -> bool:
    """Whether no call of the same code is around a frame."""
    outer = frame.f_back
    while outer is not None:
        if outer.f_code is frame.f_code:
            return False
        outer = outer.f_back
    return True


def _partial_target(function: Any) -> Any:
    while isinstance(function, functools.partial):
        function = function.func
    return function


def key_of(function: Any) -> Hashable:
    """What tells one function from another: closures made by the same `def` are one, and so are objects of a class."""
    code = tf_autograph.code_of(function)
    if code is not None:
        return id(code)
    if isinstance(function, BuiltinFunctionType):
        return "builtin", function.__module__, function.__qualname__
    if not isinstance(function, type) and not tf_autograph.is_tf_function(function):
        called = getattr(type(function).__call__, "__code__", None)
        if called is not None:
            return "object", id(type(function))
    return id(function)
