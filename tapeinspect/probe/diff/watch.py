"""Seeing every op of one run of the step, with the values it gave: eagerly, and inside a graph.

In a graph a small stateful op stands behind each op and hands its outputs to Python. Stateful ops run in the order of
the program, loops and branches included, so both runs give the same kind of list.
"""

from __future__ import annotations

import ast
import linecache
import math
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

from tapeinspect.probe import tf_private
from tapeinspect.probe.diff.align import PLUMBING, RanOp
from tapeinspect.trace.bits import digest

_NO_VALUE = ("resource", "variant", "string")
_STATIC = frozenset(
    {"Const", "_EagerConst", "Shape", "ShapeN", "Size", "Rank", "VariableShape", "BroadcastGradientArgs"}
)
_NEVER_STATIC = ("Random", "Stateless", "Read", "Multinomial", "Iterator", "Parse", "PyFunc", "EagerPyFunc")
_QUIET = frozenset({"Placeholder"})


@dataclass(slots=True, eq=False)
class Budget:
    """Bytes of values that may be kept."""

    left: int

    def take(self, size: int) -> bool:
        """Whether a value of that size may be kept."""
        if size > self.left:
            return False
        self.left -= size
        return True


@dataclass(frozen=True, slots=True)
class Where:
    """Where in the code an op stands."""

    path: str | None
    line: int | None
    library: tuple[str, int] | None


class Places:
    """Tells where ops stand. role: whether a file is the 'user's or a 'library's."""

    def __init__(self, role: Callable[[str], str]) -> None:
        self._role = role
        self._statements: dict[str, dict[int, int]] = {}

    def of_frames(self, frames: Iterator[tuple[str, int]]) -> Where:
        """Where a stack stands, its frames given innermost first."""
        library = None
        for path, line in frames:
            if "/site-packages/tensorflow/" in path or "/tensorflow/python/" in path:
                continue
            role = self._role(path)
            if role == "user":
                return Where(path, self._statement(path, line), library)
            if role == "library" and library is None and "tapeinspect" not in path:
                library = (path, line)
        return Where(None, None, library)

    def _statement(self, path: str, line: int) -> int:
        """The first line of the statement that a line belongs to: AutoGraph's map knows no other."""
        known = self._statements.get(path)
        if known is None:
            known = self._statements[path] = statements("".join(linecache.getlines(path)))
        return known.get(line, line)


def statements(source: str) -> dict[int, int]:
    """For each line of a statement that has several, its first one; of compound statements, the head's lines."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return {}
    found: dict[int, int] = {}
    for node in ast.walk(tree):
        if not isinstance(node, ast.stmt):
            continue
        body = getattr(node, "body", None)
        last = body[0].lineno - 1 if isinstance(body, list) and body else node.end_lineno or node.lineno
        found.update((line, node.lineno) for line in range(node.lineno + 1, last + 1))
    return found


def stack_of(frame: Any) -> Iterator[tuple[str, int]]:
    """(file, line) of the frames from one outward."""
    while frame is not None:
        yield frame.f_code.co_filename, frame.f_lineno or 0
        frame = frame.f_back


def mapped_stack() -> Iterator[tuple[str, int]]:
    """(file, line) of the stack that runs, innermost first, lines of generated code as those of the user's."""
    from tensorflow.python.util import tf_stack

    return iter([(frame.filename, frame.lineno) for frame in reversed(list(tf_stack.extract_stack()))])


class EagerWatch:
    """Takes down the ops that this thread runs eagerly."""

    def __init__(self, places: Places, budget: Budget, given: frozenset[int] = frozenset()) -> None:
        """given: ids of the tensors that the step is called with."""
        self.ops: list[RanOp] = []
        self._places = places
        self._budget = budget
        self._given = given
        self._made: dict[int, tuple[RanOp, int]] = {}
        """The op that has made each tensor, and the number of its output."""
        self._static: set[int] = set()
        self._turns: Counter[Any] = Counter()
        self._busy = False

    def on(self) -> AbstractContextManager[None]:
        """Watch inside."""
        return tf_private.op_callback(self._op)

    def _op(
        self, op_type: Any, inputs: Any, attrs: Any, outputs: Any, op_name: Any = None, graph: Any = None
    ) -> None:
        if graph is not None or self._busy:
            return
        self._busy = True
        try:
            name = op_type.decode() if isinstance(op_type, bytes) else op_type
            where = self._places.of_frames(stack_of(sys._getframe(1)))
            static = is_static(name, [self._is_static(t) for t in inputs], outputs)
            if static:
                self._static.update(t._id for t in outputs)
            key = (name, where)
            arrays = _arrays(outputs)
            given = tuple(made for t in inputs if (made := self._made.get(t._id)) is not None)
            op = ran(name, where, arrays, self._budget, static, self._turns[key], given)
            if arrays:
                self._made.update((t._id, (op, number)) for number, t in enumerate(outputs))
            self.ops.append(op)
            self._turns[key] += 1
        finally:
            self._busy = False

    def _is_static(self, tensor: Any) -> bool:
        """Whether an input is a constant: what an op made of constants, or what no op made."""
        if tensor._id in self._made or tensor._id in self._given:
            return tensor._id in self._static
        return tensor.dtype.name not in _NO_VALUE


@dataclass(slots=True, eq=False)
class GraphOp:
    """An op of the graph."""

    type: str
    where: Where
    static: bool
    in_loop: bool = False
    ran: int = 0


@dataclass(slots=True, eq=False)
class GraphWatch:
    """Puts an op behind each op that is traced, and takes down what those see when the graph runs."""

    places: Places
    budget: Budget
    ops: list[RanOp] = field(default_factory=list)
    graph_ops: list[GraphOp] = field(default_factory=list)
    _static: set[Any] = field(default_factory=set)
    _made: dict[int, tuple[RanOp, int]] = field(default_factory=dict)
    """The op that gave each tensor of the graph last, and the number of its output, by the tensor's id."""
    _busy: bool = False

    def tracing(self) -> AbstractContextManager[None]:
        """What is traced inside is watched when it runs."""
        return tf_private.op_callback(self._op)

    def _op(
        self, op_type: Any, inputs: Any, attrs: Any, outputs: Any, op_name: Any = None, graph: Any = None
    ) -> None:
        if graph is None or self._busy:
            return
        name = op_type.decode() if isinstance(op_type, bytes) else op_type
        if is_unseen(name):
            return
        self._busy = True
        try:
            self._add(name, inputs, outputs, graph)
        finally:
            self._busy = False

    def _add(self, name: str, inputs: Any, outputs: Any, graph: Any) -> None:
        import tensorflow as tf

        traceback = getattr(outputs[0].op, "traceback", None) if outputs else None
        frames = mapped_stack() if traceback is None else frames_of(traceback)
        where = self.places.of_frames(frames)
        static = is_static(name, [id(t) in self._static for t in inputs], outputs)
        if static:
            self._static.update(id(t) for t in outputs)
        number = len(self.graph_ops)
        self.graph_ops.append(GraphOp(name, where, static, _in_loop(graph)))
        if not is_listed(name):
            return
        seen = [t for t in outputs if has_value(t)]
        taken, made = [id(t) for t in inputs], [id(t) for t in outputs]

        def saw(*values: Any) -> None:
            entry = self.graph_ops[number]
            copies = [_copy(v) for v in values] if len(seen) == len(outputs) else []
            given = tuple(last for t in taken if (last := self._made.get(t)) is not None)
            op = ran(name, where, copies, self.budget, static, entry.ran, given, entry.in_loop)
            if copies:
                self._made.update((t, (op, number)) for number, t in enumerate(made))
            self.ops.append(op)
            entry.ran += 1

        tf.numpy_function(saw, seen, [])


def frames_of(traceback: Any) -> Iterator[tuple[str, int]]:
    """(file, line) of an op's traceback, innermost first."""
    return iter([(frame.filename, frame.lineno) for frame in reversed(list(traceback))])


_SEEN_ANYWAY = frozenset({b"Const", b"Identity", b"IdentityN", b"PyFunc", b"EagerPyFunc"})


def _skipped() -> frozenset[bytes]:
    """Ops that nothing can stand behind."""
    from tensorflow.python.debug.lib.op_callbacks_common import OP_CALLBACK_SKIP_OPS

    return frozenset(OP_CALLBACK_SKIP_OPS)


def is_unseen(name: str) -> bool:
    """Whether an op of the graph is passed over."""
    return name in _QUIET or name.encode() in _skipped() - _SEEN_ANYWAY


def is_listed(name: str) -> bool:
    """Whether an op of the graph is among those that are compared."""
    return name not in PLUMBING or name == "ReadVariableOp"


def has_value(tensor: Any) -> bool:
    """Whether a tensor holds what can be compared."""
    return tensor.dtype.name not in _NO_VALUE


def is_static(name: str, inputs: list[bool], outputs: Any) -> bool:
    """Whether an op computes with shapes and constants only, so that its value is known while tracing."""
    if name in _STATIC:
        return True
    if not inputs or name.startswith(_NEVER_STATIC):
        return False
    return all(inputs) and (name == "Fill" or all(t.dtype.is_integer or t.dtype.is_bool for t in outputs))


def _in_loop(graph: Any) -> bool:
    """Whether a graph is the body or the condition of a loop, or a branch in one."""
    while graph is not None:
        if any(base.__name__ in ("WhileBodyFuncGraph", "WhileCondFuncGraph") for base in type(graph).__mro__):
            return True
        graph = getattr(graph, "outer_graph", None)
    return False


def ran(
    name: str,
    where: Where,
    arrays: list[Any],
    budget: Budget,
    static: bool,
    turn: int,
    given: tuple[tuple[RanOp, int], ...] = (),
    in_loop: bool = False,
) -> RanOp:
    """The entry of an op that ran."""
    first = arrays[0] if arrays else None
    size = sum(a.nbytes for a in arrays)
    kept = tuple(arrays) if arrays and budget.take(size) else None
    bits = digest(arrays) if arrays and kept is None else None
    return RanOp(
        name,
        where.path,
        where.line,
        where.library,
        first.dtype.name if first is not None else None,
        tuple(first.shape) if first is not None else None,
        kept,
        bits,
        static,
        given,
        in_loop,
        turn,
    )


def _arrays(outputs: Any) -> list[Any]:
    """The outputs' values; none when one of them has no numbers."""
    import numpy as np

    if any(t.dtype.name in _NO_VALUE for t in outputs):
        return []
    return [np.asarray(tf_private.view(t)) for t in outputs]


def _copy(value: Any) -> Any:
    import numpy as np

    return np.array(value, copy=True)


def finite(number: float | None) -> float | None:
    """A number that a database can hold."""
    return number if number is None or math.isfinite(number) else (1e308 if number > 0 else None)
