"""Where a value leaves TensorFlow for NumPy or Python and comes back as a constant.

No op tells of it: the recording shows a tensor that nothing takes any further, and later an op on the way to the
target with an input that no op made. The user's source has to connect the two: an expression that converts the
first, and a name or an expression through which the result gets to the second. Without all three nothing is said.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from tapeinspect.analysis.none.scene import Scene
from tapeinspect.analysis.syntax import Syntax, dotted, names_in, syntax_of
from tapeinspect.trace.records import Edge, Frame

_METHODS = frozenset({"numpy", "item", "tolist", "__array__"})
_BUILTINS = frozenset({"float", "int", "bool", "complex"})
_OTHERS = frozenset({"numpy", "scipy", "sklearn", "cv2", "math", "pandas", "PIL", "skimage", "numba"})
_OWN = ("numpy_function", "py_func")
_PREDICTS = ("predict", "predict_on_batch")
"""Methods of a Keras model that give NumPy arrays."""
_LOOKED_AT = 300
"""Ops whose value is followed through the source."""
_COPIES = ("constant",)
"""What makes a constant of a variable; of a tensor it hands on the tensor."""


@dataclass(frozen=True, slots=True)
class Leaving:
    """An expression that takes a value out of TensorFlow."""

    text: str
    path: str
    line: int
    last: Edge
    """The op that made the value."""
    entry: Edge | None
    """The op that takes what came of it; None when that is the target itself."""


def find_leaving(scene: Scene, used: Sequence[Edge]) -> Leaving | None:
    """Where a value made by one of `used` leaves TensorFlow on its way to the target. `used`: in order."""
    entries = _entries(scene, used[0].op) if used else []
    if not entries:
        return None
    for last in _likely(used):
        after = max(last.outputs, default=0)
        later = [
            entry
            for entry in entries
            if entry.tensor > after and (entry.edge is None or entry.edge.op > last.op)
        ]
        for frame in _own_frames(scene, last.stack) if later else ():
            syntax = syntax_of(scene.reader, frame.file)
            start = syntax.expression(frame) if syntax is not None else None
            if syntax is None or start is None:
                continue
            reads = last.type in ("ReadVariableOp", "Identity")
            flow = _Flow(syntax, start, reads, predicts=_in_keras_predict(scene, last.stack))
            for entry in later:
                conversion = _meets(scene, flow, frame, entry.stack)
                if conversion is not None:
                    return Leaving(syntax.text(conversion), frame.path, conversion.lineno, last, entry.edge)
    return None


@dataclass(frozen=True, slots=True)
class _Entry:
    """Where a tensor that no op made comes in on the way to the target."""

    edge: Edge | None
    """None when it is the target itself."""
    stack: int
    tensor: int
    """The newest of them, when an op has several."""


def _likely(used: Sequence[Edge]) -> list[Edge]:
    """The ops whose value may have left TensorFlow, likely ones first: those that no other op takes further."""
    taken = {tensor for edge in used for tensor in edge.inputs}
    ends = [edge for edge in used if taken.isdisjoint(edge.outputs)]
    others = [edge for edge in used if not taken.isdisjoint(edge.outputs)]
    return [*reversed(ends), *reversed(others)][:_LOOKED_AT]


def _entries(scene: Scene, first: int) -> list[_Entry]:
    """The ops after another one, on the way to the target, that take a tensor which no op made."""
    found = []
    for edge in scene.edges:
        if edge.op > first and edge.op in scene.toward:
            outside = [tensor for tensor in edge.inputs if from_outside(scene, tensor)]
            if outside:
                found.append(_Entry(edge, edge.stack, max(outside)))
    targets = [target for target in scene.call.targets if from_outside(scene, target)]
    if targets:
        found.append(_Entry(None, scene.call.stack, max(targets)))
    return found


def from_outside(scene: Scene, tensor: int) -> bool:
    """Whether no recorded op made a tensor."""
    return tensor not in scene.made and scene.reader.producer(tensor) is None


def _own_frames(scene: Scene, stack: int) -> list[Frame]:
    try:
        return [frame for frame in scene.reader.stack(stack).frames if frame.role == "user"]
    except KeyError:
        return []


def _in_keras_predict(scene: Scene, stack: int) -> bool:
    """Whether an op ran inside `predict` of a Keras model."""
    try:
        frames = scene.reader.stack(stack).frames
    except KeyError:
        return False
    return any(
        frame.role != "user" and frame.function.rsplit(".", 1)[-1] in _PREDICTS and "keras" in frame.path
        for frame in frames
    )


def _meets(scene: Scene, flow: _Flow, frame: Frame, stack: int) -> ast.expr | None:
    """The conversion whose result is in the expression that an op ran for, in the same function."""
    for other in _own_frames(scene, stack):
        if other.file != frame.file or other.function != frame.function:
            continue
        node = flow.syntax.expression(other)
        found = flow.reaches(node) if node is not None else None
        if found is not None:
            return found
    return None


@dataclass
class _Flow:
    """Follows a value through one function by the names it is bound to."""

    syntax: Syntax
    start: ast.expr
    reads: bool
    """The start is where a variable was read: a conversion may be the start itself."""
    predicts: bool = False
    """The start ran inside `predict` of a Keras model, which gives an array."""
    depth: int = 0
    live: set[str] = field(default_factory=set)
    """Names of the value while it is a tensor."""
    gone: dict[str, ast.expr] = field(default_factory=dict)
    """Names of what was made of it outside, and the conversion."""

    def __post_init__(self) -> None:
        if self.depth:
            return
        statements = self.syntax.bindings(self.syntax.scope(self.start))
        for _ in range(2):  # a second time for what a loop brings round
            for statement in statements:
                if statement.lineno >= self.start.lineno or self.live or self.gone:
                    self._bind(statement)

    def reaches(self, node: ast.expr) -> ast.expr | None:
        """The conversion whose result an expression takes, if any."""
        found = self._conversion_in(node)
        if found is not None:
            return found
        return next((self.gone[name] for name in sorted(names_in(node)) if name in self.gone), None)

    def _bind(self, statement: ast.stmt) -> None:
        value = getattr(statement, "value", None) or getattr(statement, "iter", None)
        if not isinstance(value, ast.expr):
            return
        names = {name for target in _targets(statement) if (name := dotted(target)) is not None}
        conversion = self._conversion_in(value) or (
            None if isinstance(statement, ast.For) else self.reaches(value)
        )
        if conversion is not None:
            self.gone.update(dict.fromkeys(names, conversion))
            self.live -= names
        elif self._mentions(value):
            self.live |= names
            for name in names:
                self.gone.pop(name, None)

    def _conversion_in(self, node: ast.expr) -> ast.expr | None:
        live = self.live | self._loop_names(node)
        for part in ast.walk(node):
            if isinstance(part, ast.Call):
                found = self._converts(part, live)
                if found is not None:
                    return found
        return None

    def _converts(self, call: ast.Call, live: set[str]) -> ast.expr | None:
        """The expression that takes the value out of TensorFlow when this call does."""
        function = call.func
        if self.predicts and call is self.start:
            return call if isinstance(function, ast.Attribute) and function.attr in _PREDICTS else None
        if isinstance(function, ast.Attribute) and function.attr in _METHODS:
            return call if self._taken((function.value,), live, call) else None
        name = dotted(function)
        if name is None:
            return None
        root, _, rest = name.partition(".")
        arguments = [*call.args, *(keyword.value for keyword in call.keywords)]
        outside = (
            (name in _BUILTINS)
            or self.syntax.imports.get(root, "") in _OTHERS
            or name.rsplit(".", 1)[-1] in _OWN
            or (self.reads and call is self.start and name.rsplit(".", 1)[-1] in _COPIES)
        )
        if outside:
            return call if self._taken(arguments, live, call) else None
        if rest or self.depth:
            return None
        return self._helper(name, call.args, live)

    def _taken(self, arguments: Iterable[ast.expr], live: set[str], call: ast.Call) -> bool:
        if self.reads and call is self.start:
            return True
        return any(self.start in ast.walk(part) or names_in(part) & live for part in arguments)

    def _helper(self, name: str, arguments: list[ast.expr], live: set[str]) -> ast.expr | None:
        """The conversion in a function of the same file that returns what it made of the value."""
        function = self.syntax.function(name)
        if function is None:
            return None
        parameters = [argument.arg for argument in [*function.args.posonlyargs, *function.args.args]]
        given = {
            parameter
            for parameter, part in zip(parameters, arguments, strict=False)
            if self.start in ast.walk(part) or names_in(part) & live
        }
        if not given or not function.body:
            return None
        start = ast.Constant(None, lineno=function.lineno, col_offset=0)
        inner = _Flow(self.syntax, start, reads=False, depth=1, live=given)
        for statement in self.syntax.bindings(function):
            inner._bind(statement)
        for node in ast.walk(function):
            if (
                isinstance(node, ast.Return)
                and node.value is not None
                and (found := inner.reaches(node.value))
            ):
                return found
        return None

    def _loop_names(self, node: ast.expr) -> set[str]:
        """Names that comprehensions in an expression bind to parts of the value."""
        return {
            name
            for part in ast.walk(node)
            if isinstance(part, ast.comprehension) and self._mentions(part.iter)
            for name in names_in(part.target)
        }

    def _mentions(self, node: ast.expr) -> bool:
        return self.start in ast.walk(node) or bool(names_in(node) & self.live)


def _targets(statement: ast.stmt) -> list[ast.expr]:
    targets = getattr(statement, "targets", None) or [getattr(statement, "target", None)]
    flat: list[ast.expr] = []
    for target in targets:
        flat.extend(target.elts if isinstance(target, (ast.Tuple, ast.List)) else [target] if target else [])
    return flat
