"""Watches what the user's Python code does while it is traced, line by line."""

from __future__ import annotations

import ast
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

from tapeinspect.probe import reachable, tf_autograph, tf_survey
from tapeinspect.probe.survival import calls as survival_calls
from tapeinspect.probe.survival import code as survival_code
from tapeinspect.probe.survival import outside
from tapeinspect.probe.survival import values as survival_values
from tapeinspect.probe.survival.code import Store

Where = tuple[str, int]
"""The user's file, and a line in it."""


@dataclass(slots=True)
class Fact:
    """One thing that happened on a line."""

    fact: str
    where: Where
    name: str
    detail: dict[str, Any]
    count: int = 1


@dataclass(slots=True)
class _Bound:
    """A store that was met: what it binds, and what was there before."""

    store: Store
    where: Where
    base: Any
    before: Any
    now: Callable[[], Any]
    within: str
    hidden: bool


@dataclass(slots=True)
class Watch:
    """What happened. The role of a file: 'user', 'library' or 'generated'."""

    role: Callable[[str], str]
    is_tensor: Callable[[Any], bool] = tf_survey.is_symbolic
    """Whether a value is a tensor that has no value while tracing; run eagerly: one that would have none."""
    eagerly: bool = False
    given: tuple[Any, ...] = ()
    """What the step is called with, and the step itself: there before the trace, as the script's own objects are."""
    facts: dict[tuple[Any, ...], Fact] = field(default_factory=dict)
    reached: Counter[Where] = field(default_factory=Counter)
    failed: Exception | None = None
    """Our own error: nothing was watched from there on."""
    _lines: dict[Where, Where] = field(default_factory=dict)
    _roles: dict[str, str] = field(default_factory=dict)
    _before: list[Any] = field(default_factory=list)
    """Where all that was there before the trace can be reached from."""
    _known: dict[int, Any] = field(default_factory=dict)
    """What was there, once it was asked for; kept so that nothing else gets the id."""
    _around: list[FrameType] = field(default_factory=list)
    """The user's frames that the step is called from."""
    _within: list[tuple[str, set[int], Where | None]] = field(default_factory=list)
    """The loops and branches of the graph that are being made: with the objects that were there before, and where."""
    _bound: dict[tuple[Any, ...], _Bound] = field(default_factory=dict)
    _tests: list[bool] = field(default_factory=list)

    @contextmanager
    def watching(self, lines: bool = True) -> Iterator[None]:
        """Watch the user's code of this thread inside; lines: have Python tell of each line, which is the task of
        whoever calls `on_line` otherwise."""
        self._before = [*self.given, *reachable.script_roots(self.role)]
        self._around = outside.frames(self.role)
        around: dict[str, tf_survey.Around] = {
            "converted_call": self._call,
            "if_stmt": self._if,
            "for_stmt": self._for,
            "while_stmt": self._while,
        }
        was = sys.gettrace()
        try:
            with ExitStack() as stack:
                stack.enter_context(tf_survey.operators_replaced(around))
                stack.enter_context(tf_survey.conversions_heard(self._converted))
                if lines:
                    sys.settrace(self._entered)
                try:
                    yield
                finally:
                    sys.settrace(was)
        finally:
            self._guarded(self._look_at_stores)
            self._before, self._bound, self._known, self._around = [], {}, {}, []

    def _guarded(self, function: Callable[..., None], *args: Any) -> None:
        """Our own errors never reach the user's code."""
        if self.failed is None:
            try:
                function(*args)
            except Exception as error:
                self.failed = error

    def _converted(self, source_map: Any) -> None:
        self._lines.update(tf_survey.source_lines(source_map))

    def _role(self, path: str) -> str:
        found = self._roles.get(path)
        if found is None:
            found = self._roles[path] = self.role(path)
        return found

    def _place(self, frame: Any) -> Where | None:
        """The user's line that a frame is at; None when there is none."""
        where = (frame.f_code.co_filename, frame.f_lineno or 0)
        if self._role(where[0]) == "generated":
            where = self._lines.get(where, ("", 0))
        return where if where[0] and self._role(where[0]) == "user" else None

    # lines

    def _entered(self, frame: Any, event: str, argument: Any) -> Any:
        role = self._role(frame.f_code.co_filename)
        return None if role == "library" else self.on_line

    def on_line(self, frame: Any, event: str, argument: Any) -> Any:
        """What Python calls for the lines and the return of a frame that is watched."""
        if event == "line":
            self._guarded(self._line, frame)
        elif event == "return":
            self._guarded(self._returned, frame)
        return self.on_line

    def _line(self, frame: Any) -> None:
        where = self._place(frame)
        if where is None:
            return
        self.reached[where] += 1
        code = survival_code.of_file(where[0])
        plain = self._role(frame.f_code.co_filename) == "user"
        stores, names = code.stores.get(where[1]), code.reads.get(where[1])
        calls = [c for c in code.calls.get(where[1], ()) if plain or survival_values.is_print(c)]
        loops, handlers = code.loops.get(where[1]), code.handlers.get(where[1])
        if not (stores or names or calls or loops or handlers):
            return
        local, globals_ = frame.f_locals, frame.f_globals
        for store in stores or ():
            self._meet(store, where, frame, local, globals_)
        for call in calls or ():
            function = survival_code.resolve(call.func, local, globals_)
            if callable(function):
                given = [survival_code.resolve(arg, local, globals_) for arg in call.args]
                self._note_call(function, where, given)
                if self.eagerly and survival_values.is_numpys(function) and any(map(self.is_tensor, given)):
                    self._add(
                        "eager", where, "__array__", {}
                    )  # NumPy takes a tensor's memory without asking it
        if self.reached[where] == 1:
            for handler in handlers or ():
                self._catch(handler, where, local, globals_)
            for name in names or ():
                self._read(name.id, where, frame, local, globals_)
            for attribute in code.attributes.get(where[1], ()):
                self._read_attribute(attribute, where, local, globals_)
            for iterated in loops or ():
                self._iterate(survival_code.resolve(iterated, local, globals_), where, ast.unparse(iterated))

    def _read(self, name: str, where: Where, frame: Any, local: Any, globals_: Any) -> None:
        """A Python number or an array from outside of the function."""
        code = frame.f_code
        if name in code.co_freevars and name in local:
            value, scope = local[name], "outer"
        elif name not in local and name in globals_:
            value, scope = globals_[name], "global"
        else:
            return
        if survival_values.freezes(value):
            kind = type(value).__name__
            self._add(
                "read", where, name, {"scope": scope, "kind": kind, "value": survival_values.in_words(value)}
            )

    def _read_attribute(self, node: ast.Attribute, where: Where, local: Any, globals_: Any) -> None:
        """The same as an attribute of an object that the callers of the step know, and may change."""
        owner = survival_code.resolve(node.value, local, globals_)
        if owner is None or not survival_values.freezes(survival_code.attribute(owner, node.attr)):
            return
        callers = outside.callers(owner, self._around) if self._outlives(owner) else ()
        if callers:
            value = survival_code.attribute(owner, node.attr)
            detail = {
                "scope": "attribute",
                "kind": type(value).__name__,
                "value": survival_values.in_words(value),
                "classes": tuple(base.__name__ for base in type(owner).__mro__[:-1]),
                "callers": callers,
            }
            self._add("read", where, ast.unparse(node), detail)

    def _catch(self, handler: ast.ExceptHandler, where: Where, local: Any, globals_: Any) -> None:
        """A handler of errors that ops raise when they run."""
        types = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
        for kind in types:
            if kind is not None and tf_survey.is_op_error(survival_code.resolve(kind, local, globals_)):
                self._add("catch", (where[0], handler.lineno), ast.unparse(kind), {})

    def _iterate(self, iterated: Any, where: Where, text: str) -> None:
        if iterated is None or not hasattr(type(iterated), "__next__") or tf_survey.runs_in_graph(iterated):
            return
        detail = {"kind": type(iterated).__name__, "outside": self._outlives(iterated)}
        self._add("iterate", where, text, detail)

    # stores

    def _meet(self, store: Store, where: Where, frame: Any, local: Any, globals_: Any) -> None:
        base = None if store.base is None else survival_code.resolve(store.base, local, globals_)
        key = (where, store.text, id(base) if base is not None else None)
        hidden = store.base is not None and self._is_hidden(base, where)
        if key in self._bound or not (store.base is None or hidden or self._outlives(base)):
            return
        key_of = None if store.key is None else survival_code.resolve(store.key, local, globals_)
        now = survival_values.value_reader(store, base, key_of, frame, globals_)
        if now is None:
            return
        before = now()
        if before is base:
            before = survival_values.copied(before)
        self._bound[key] = _Bound(store, where, base, before, now, self._graph_within(None), hidden)

    def _is_hidden(self, base: Any, where: Where) -> bool:
        """Whether AutoGraph cannot see that a loop or branch of the graph changes an object: a called function does."""
        for _, known, place in self._within:
            if place is not None and id(base) in known:
                return place[0] != where[0] or (
                    survival_code.of_file(where[0]).function(where[1])
                    != survival_code.of_file(place[0]).function(place[1])
                )
        return False

    def _outlives(self, base: Any) -> bool:
        """Whether an object was there before the trace began, where the script could reach it."""
        if base is None or tf_survey.is_symbolic(base):
            return False
        if not self._known:  # asked for before the first change of anything
            self._known = {id(value): value for value in reachable.objects(self._before)}
        return id(base) in self._known

    def _returned(self, frame: Any) -> None:
        """Outer variables can be looked at as long as a frame that has them is there."""
        if frame.f_code.co_freevars:
            local = frame.f_locals
            for bound in self._bound.values():
                if bound.store.kind == "nonlocal" and bound.store.name in local:
                    value = local[bound.store.name]
                    bound.now = survival_values.constant(value)

    def _look_at_stores(self) -> None:
        for bound in self._bound.values():
            after = bound.now()
            leak = self._holds(after) and not self._holds(bound.before)
            same = after is bound.before or survival_values.equal(bound.before, after)
            if same and not leak:
                continue
            variable = hasattr(after, "assign") and hasattr(after, "handle")
            detail = {
                "kind": bound.store.kind,
                "before": survival_values.in_words(bound.before),
                "after": survival_values.in_words(after),
                "leak": leak,
                "variable": variable,
                "within": bound.within,
                "hidden": bound.hidden,
            }
            if after is bound.base:
                detail["before"] = detail["after"] = type(bound.base).__name__
            self._add("store", bound.where, bound.store.text, detail)

    def _holds(self, value: Any) -> bool:
        return tf_survey.holds(value, self.is_tensor)

    # calls

    def _call(self, original: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        self._guarded(self._called, tf_autograph.calling_frame(), args)
        return original(*args, **kwargs)

    def _called(self, frame: Any, args: tuple[Any, ...]) -> None:
        where = self._place(frame)
        if where is not None and args and callable(args[0]):
            given = args[1] if len(args) > 1 and isinstance(args[1], tuple) else ()
            self._note_call(args[0], where, given)

    def _note_call(self, function: Any, where: Where, given: Any) -> None:
        category = survival_calls.category(function)
        if not category:
            return
        owner = getattr(function, "__self__", None)
        if category == "next":
            owner = given[0] if given else owner
            if tf_survey.is_dataset_iterator(owner):
                return
        detail = {
            "category": category,
            "owner": type(owner).__name__,
            "outside": self._outlives(owner),
            "tensors": self._holds(given),
            "within": self._graph_within(owner),
        }
        self._add("call", where, survival_calls.called(function), detail)

    def _add(self, fact: str, where: Where, name: str, detail: dict[str, Any]) -> None:
        key = (fact, where, name, *detail.values())
        found = self.facts.get(key)
        if found is None:
            self.facts[key] = Fact(fact, where, name, detail)
        else:
            found.count += 1

    # loops and branches of the graph

    def _graph_within(self, owner: Any) -> str:
        """'loop' or 'branch' of the graph that is being made, and that an object was there before; ''."""
        for kind, known, _ in reversed(self._within):
            if owner is None or id(owner) in known or self._outlives(owner):
                return kind
        return ""

    def _inside(self, kind: str, function: Callable[..., Any], frame: Any) -> Callable[..., Any]:
        place = self._place(frame)

        def body(*args: Any, **kwargs: Any) -> Any:
            if kind == "test" and not (self._tests and self._tests[-1]):
                return function(*args, **kwargs)
            held = {id(value) for value in list(frame.f_locals.values())}
            self._within.append(("loop" if kind == "test" else kind, held, place))
            try:
                return function(*args, **kwargs)
            finally:
                self._within.pop()

        return body

    def _if(self, original: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if len(args) > 2 and tf_survey.is_symbolic(args[0]):
            frame = tf_autograph.calling_frame()
            branches = [self._inside("branch", branch, frame) for branch in args[1:3]]
            args = (args[0], *branches, *args[3:])
        return original(*args, **kwargs)

    def _for(self, original: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        frame = tf_autograph.calling_frame()
        if len(args) > 2:
            if tf_survey.runs_in_graph(args[0]):
                args = (*args[:2], self._inside("loop", args[2], frame), *args[3:])
            else:
                where = self._place(frame)
                if where is not None:
                    self._guarded(self._iterate, args[0], where, "")
        return original(*args, **kwargs)

    def _while(self, original: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if len(args) < 2:
            return original(*args, **kwargs)
        frame, test = tf_autograph.calling_frame(), args[0]

        def tested(*values: Any) -> Any:
            result = test(*values)
            self._tests[-1] = tf_survey.is_symbolic(result)
            return result

        self._tests.append(False)
        try:
            return original(tested, self._inside("test", args[1], frame), *args[2:], **kwargs)
        finally:
            self._tests.pop()
