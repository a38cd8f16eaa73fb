"""What was seen of a trace, as rows of the tables `ag_…`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable
from dataclasses import dataclass, field
from types import CodeType, FunctionType
from typing import TYPE_CHECKING, Any

from tapeinspect.probe import reachable, tf_autograph
from tapeinspect.probe.autograph import failure as autograph_failure
from tapeinspect.probe.autograph import source as autograph_source
from tapeinspect.probe.autograph.constructs import Facts, Line, became, facts_of
from tapeinspect.probe.autograph.folds import folds
from tapeinspect.probe.autograph.reasons import Verdict, failed, kind_of, verdict
from tapeinspect.probe.autograph.source import Source
from tapeinspect.probe.autograph.static import callees
from tapeinspect.probe.autograph.trace import Traced, convertible
from tapeinspect.probe.autograph.watch import Met, Seen, key_of
from tapeinspect.probe.step_function import unwrap

if TYPE_CHECKING:
    from tapeinspect.probe.recorder import Recorder

_MOST = 500
"""Functions that are followed without a trace."""


@dataclass(slots=True, eq=False)
class Function:
    """One row of the table `ag_function`, with what hangs on it."""

    id: int
    met: Met
    verdict: Verdict
    source: Source | None
    role: str
    converted: tf_autograph.Converted | None
    parent: int | None = None
    within: int | None = None
    name: str = ""
    calls: int = 0
    path: str | None = None
    """Of the file, when there is no source either."""


@dataclass(slots=True, eq=False)
class Rows:
    """Rows of one run, to be written in one go."""

    recorder: Recorder
    run: int
    by_keras: bool
    traced: Traced | None
    facts: Facts
    functions: list[Function] = field(default_factory=list)
    known: dict[Hashable, Function] = field(default_factory=dict)
    by_path: dict[str, Function] = field(default_factory=dict)
    """By generated file."""
    by_code: dict[int, FunctionType] | None = None
    """Functions of the script's by the id of their code, when one was looked for."""

    @classmethod
    def of(cls, recorder: Recorder, run: int, by_keras: bool, traced: Traced | None) -> Rows:
        """None of them made yet."""
        seen = traced.seen if traced is not None else Seen()
        ops = traced.ops if traced is not None else {}
        failed_at = None
        if traced is not None and traced.error is not None:
            failed_at = autograph_failure.place(traced.error, seen, recorder.code.role)
        facts = facts_of(seen, ops, traced is not None, failed_at)
        return cls(recorder, run, by_keras, traced, facts)

    def add_met(self) -> None:
        """The functions that the trace met."""
        assert self.traced is not None
        for key, met in self.traced.seen.met.items():
            if _is_part(met.function) or self._is_inner(met):
                continue
            parent = self._caller(met)
            function = self._new(key, met, verdict(met, self.by_keras), parent)
            if met.converted is not None:
                self.by_path[met.converted.__code__.co_filename] = function

    def add_step(self, step: Any) -> None:
        """The step that Keras traces, where the trace met nothing: a comparison does not ask AutoGraph for it."""
        if not self.functions:
            met = Met(step, None, None, None, told=True)
            self._new(key_of(step), met, verdict(met, self.by_keras), None)

    def _is_inner(self, met: Met) -> bool:
        """Whether a callable is a library's own that a library handed to AutoGraph."""
        path = _path_of(met.function)
        return met.through is not None and (path is None or self.recorder.code.role(path) != "user")

    def _caller(self, met: Met) -> int | None:
        if met.caller is None:
            through = self.known.get(met.through) if met.through is not None else None
            return through.id if through is not None else None
        found = self.by_path.get(met.caller.co_filename) or self.known.get(id(met.caller))
        return found.id if found is not None else None

    def add_reachable(self, *roots: Any) -> None:
        """`roots` and the functions that can be told to be called from them, as far as they are not there yet."""
        pending: list[tuple[Any, int | None, Any, int | None]] = [(root, None, None, None) for root in roots]
        visited: set[Hashable] = set()
        while pending and len(self.functions) < _MOST:
            function, parent, caller, line = pending.pop(0)
            key = key_of(function)
            if key in visited:
                continue
            visited.add(key)
            row = self.known.get(key)
            if row is None:
                path = caller.co_filename if caller is not None else None
                met = Met(
                    function, caller, path, line, calls=0, told=tf_autograph.is_told_not_to_convert(function)
                )
                row = self._new(key, met, verdict(met, False), parent)
            if row.converted is not None and row.verdict[0] != "not_converted" and row.role == "user":
                plain = function if tf_autograph.is_plain_function(function) else type(function).__call__
                code = tf_autograph.code_of(plain)
                pending += [(callee, row.id, code, at) for callee, at in callees(plain)]

    def _new(self, key: Hashable, met: Met, found: Verdict, parent: int | None) -> Function:
        subject = _hidden(met.function, found[1])
        source = autograph_source.source_of(subject)
        path = source.path if source is not None else _path_of(subject)
        role = self.recorder.code.role(path) if path else "library"
        status, rule, reason = found
        converted = None
        if status == "converted" or (role == "user" and rule in ("disabled", "library", "do_not_convert")):
            converted, error = self._convert(met)
            if converted is None and status == "converted":
                status, rule, reason = failed(error) if error is not None else found
        function = Function(
            self.recorder.sink.next_id("ag_function"),
            met,
            (status, rule, reason),
            source,
            role,
            converted,
            parent,
        )
        function.name, function.calls, function.path = _name(met.function), met.calls, path
        self.functions.append(function)
        self.known[key] = function
        if converted is not None:
            self._add_nested(function)
        return function

    def _convert(self, met: Met) -> tuple[tf_autograph.Converted | None, BaseException | None]:
        function = met.function
        if isinstance(function, CodeType):
            function = self._function_of(function)
            if function is None:
                return None, None
        if met.told:
            function = unwrap(function)
        try:
            return tf_autograph.convert(convertible(function)), None
        except Exception as error:  # whatever AutoGraph or the source may hold in store
            if met.converted is not None:
                return tf_autograph.described(met.converted), None
            return None, error

    def _function_of(self, code: CodeType) -> FunctionType | None:
        """A function that runs this code; all that are in reach are looked up in one go."""
        if self.by_code is None:
            self.by_code = {}
            near = [met.function for met in self.traced.seen.met.values()] if self.traced else []
            for value in reachable.objects([*near, *reachable.script_roots(self.recorder.code.role)]):
                if type(value) is FunctionType:
                    self.by_code[id(value.__code__)] = value
        return self.by_code.get(id(code))

    def _add_nested(self, host: Function) -> None:
        """The functions and lambdas that are written inside of one: they are converted with it."""
        if host.source is None or host.source.node is None:
            return
        for node, name in autograph_source.nested(host.source.node):
            lines = self.facts.runs
            first = getattr(node, "body", None)
            body = first[0].lineno if isinstance(first, list) and first else node.lineno
            source = Source(host.source.path, node.lineno, node.end_lineno or node.lineno, "", node)
            met = Met(_Nested(name), None, host.source.path, node.lineno)
            row = Function(
                self.recorder.sink.next_id("ag_function"), met, ("converted", "", ""), source, host.role, None
            )
            row.parent = row.within = host.id
            row.name, row.path = name, host.source.path
            row.calls = lines[host.source.path, body]
            self.functions.append(row)

    def write(self) -> None:
        """Put all into the trace; the caller holds the lock."""
        sink, code, keep = self.recorder.sink, self.recorder.code, self.recorder.config.source
        for function in self.functions:
            sink.add("ag_function", self._row(function, keep))
            if function.converted is None:
                continue
            if keep:
                found = function.converted
                sink.add(
                    "ag_line", *((function.id, line, original) for line, original in found.lines.items())
                )
                sink.add("ag_fold", *((function.id, *fold) for fold in folds(found.generated)))
        for function in self.functions:
            if function.source is not None and function.within is None and self._is_shown(function):
                self._write_constructs(function)
        for path, line, mark, ops, count in self._marks():
            sink.add("ag_mark", (self.run, code.file(path), line, mark, ops, count))

    def _is_shown(self, function: Function) -> bool:
        return (function.role == "user" and function.verdict[1] != "tf_function") or function.verdict[
            0
        ] == "converted"

    def _row(self, function: Function, keep: bool) -> tuple[Any, ...]:
        code, met, source = self.recorder.code, function.met, function.source
        nested = isinstance(met.function, _Nested)
        kind = ("lambda" if "<lambda>" in function.name else "function") if nested else kind_of(met.function)
        module = getattr(met.function, "__module__", None) or ""
        call = (
            self.traced.seen.original(met.call_path, met.call_line) if self.traced and met.call_path else None
        )
        if call is None and met.call_path and met.call_line and not tf_autograph.is_generated(met.call_path):
            call = (met.call_path, met.call_line)
        text = (
            source.text if source is not None and source.text and keep and self._is_shown(function) else None
        )
        return (
            function.id, self.run, function.parent, function.within, function.name, str(module), kind, function.role,
            code.file(function.path) if function.path else None,
            source.line if source else None, source.end_line if source else None,
            code.file(call[0]) if call else None, call[1] if call else None, function.calls,
            *function.verdict, text, function.converted.generated if function.converted and keep else None,
        )  # fmt: skip

    def _write_constructs(self, function: Function) -> None:
        assert function.source is not None
        sink = self.recorder.sink
        for construct in autograph_source.constructs(function.source):
            what = became(construct, function.source.path, self.facts)
            sink.add("ag_construct", what.row(sink.next_id("ag_construct"), self.run, function.id, construct))

    def _marks(self) -> list[tuple[str, int, str, int, int]]:
        """(path, line, mark, ops, count) of every line that has one."""
        if self.traced is None:
            return []
        lines: set[Line] = set()
        spans: list[Source] = []
        for function in self.functions:
            if function.source is not None and function.within is None and self._is_shown(function):
                spans.append(function.source)
                lines |= {
                    (function.source.path, line) for line in autograph_source.statement_lines(function.source)
                }
        for place in self.facts.ops:
            if any(span.path == place[0] and span.line <= place[1] <= span.end_line for span in spans):
                lines.add(place)
        return [self._mark(path, line) for path, line in sorted(lines)]

    def _mark(self, path: str, line: int) -> tuple[str, int, str, int, int]:
        facts = self.facts
        ops = facts.ops.get((path, line), Counter()).total()
        loops = [e for what in ("for", "while") for e in facts.events.get((path, line, what), [])]
        turns = [event.turns for event in loops if not event.graph and event.turns]
        if turns:
            return path, line, "U", ops, max(turns)
        runs = facts.runs[path, line]
        return path, line, "G" if ops else "P" if runs else "·", ops, runs


@dataclass(frozen=True, slots=True)
class _Nested:
    """Stands for a function inside another, of which there is no object."""

    name: str


def _is_part(function: Any) -> bool:
    """Whether a callable is a part of a converted function: what is nested in it."""
    code = tf_autograph.code_of(function)
    return code is not None and tf_autograph.is_generated(code.co_filename)


def _name(function: Any) -> str:
    if isinstance(function, CodeType):
        return str(getattr(function, "co_qualname", function.co_name))
    name = getattr(function, "__qualname__", None) or getattr(function, "__name__", None)
    if tf_autograph.is_tf_function(function):
        name = getattr(getattr(function, "python_function", None), "__qualname__", name)
    return str(name) if isinstance(name, str) else type(function).__qualname__


def _path_of(function: Any) -> str | None:
    code = function if isinstance(function, CodeType) else tf_autograph.code_of(function)
    return str(code.co_filename) if code is not None else None


def _hidden(function: Any, rule: str) -> Any:
    """The function as the user wrote it, where what AutoGraph meets only hides it."""
    if rule in ("do_not_convert", "disabled", "tf_function", "lru_cache", "wrapt"):
        return unwrap(function) or function
    return function
