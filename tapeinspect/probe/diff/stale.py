"""What the step reads and its caller changes from batch to batch: a graph keeps the value it had while tracing.

One comparison sees one state, so this is found in the source: the loop that calls the step binds anew, or changes,
what the step reads from outside of itself.
"""

from __future__ import annotations

import ast
import linecache
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from tapeinspect.probe.diff.behaviour import Found
from tapeinspect.probe.diff.blame import Spot
from tapeinspect.probe.introspect import dict_of
from tapeinspect.probe.step_function import StepFunction

_Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
_FUNCTIONS: Final = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_PYTHON_IN_GRAPH: Final = ("py_function", "numpy_function", "py_func")
"""What runs Python again in each call of a graph."""
_PLAIN: Final = (bool, int, float, complex, str, bytes, type(None))


def changed_between(step: StepFunction, role: Callable[[str], str]) -> list[Found]:
    """What a graph of the step would have of an earlier batch."""
    path = step.code.co_filename
    if role(path) != "user":
        return []
    try:
        tree = ast.parse("".join(linecache.getlines(path)))
    except (SyntaxError, ValueError):
        return []
    node = _defined_at(tree, step.code.co_firstlineno)
    return [] if node is None else [_found(path, *pair) for pair in _Callers(tree, node, step).pairs()]


def _found(path: str, text: str, read: int, change: int) -> Found:
    code = linecache.getline(path, change).strip()
    message = (
        f"the step reads `{text}`, which line {change} changes between batches (`{code}`): the graph keeps what it was"
        " while tracing"
    )
    hint = "make it a tf.Variable and assign to it, or pass it to the step as a tensor"
    return Found("frozen-value", "error", Spot(path, read), message, hint)


@dataclass(slots=True, eq=False)
class _Callers:
    """The loops of a file that call the step."""

    tree: ast.Module
    node: _Function
    step: StepFunction
    _around: dict[ast.AST, list[ast.AST]] = field(default_factory=dict)
    """What each node stands in, innermost first."""

    def pairs(self) -> Iterator[tuple[str, int, int]]:
        """(what is read, the line, the line that changes it), each thing once."""
        _parents(self.tree, [], self._around)
        reads = self._reads()
        told: set[str] = set()
        for loop in self._loops():
            for target, line in _changes(loop, self._called(loop)):
                text = self._as_read(target, loop)
                found = reads.get(text) if text is not None else None
                if (
                    text is not None
                    and found is not None
                    and text not in told
                    and self._is_stale(text, target)
                ):
                    told.add(text)
                    yield text, found, line

    def _reads(self) -> dict[str, int]:
        """What the step, and what it calls in its file, read from outside: text and first line."""
        found: dict[str, int] = {}
        pending, seen = [self.node], {self.node}
        while pending:
            function = pending.pop(0)
            own = _own_names(function)
            for node in _read_in(function):
                text, root = ast.unparse(node), _root(node)
                if root is not None and (root not in own or root == self._owner()):
                    found.setdefault(text.replace('"', "'"), node.lineno)
            called = {n.func.id for n in ast.walk(function) if isinstance(n, ast.Call) and _is_name(n.func)}  # type: ignore[attr-defined]
            for other in ast.walk(self.tree):
                if isinstance(other, ast.FunctionDef) and other.name in called and other not in seen:
                    seen.add(other)
                    pending.append(other)
        return found

    def _owner(self) -> str | None:
        """The name that a method has for its object."""
        bound = getattr(self.step.function, "__self__", None) is not None
        return self.step.code.co_varnames[0] if bound and self.step.code.co_argcount else None

    def _loops(self) -> Iterator[ast.For | ast.While]:
        """Loops that call the step, itself or through functions of the file, and that do not make it anew."""
        names = {self.step.code.co_name}
        for _ in range(3):
            names |= {
                node.name
                for node in ast.walk(self.tree)
                if isinstance(node, ast.FunctionDef) and node is not self.node and _mentions(node, names)
            }
        for node in ast.walk(self.tree):
            inside_step = self.node in self._around.get(node, ())
            calls = isinstance(node, (ast.For, ast.While)) and not inside_step and _mentions(node, names)
            if calls and not self._makes_anew(node, names):
                yield node  # type: ignore[misc]

    def _makes_anew(self, loop: ast.AST, names: set[str]) -> bool:
        """Whether a loop makes the step, or a tf.function of it, in each turn: that is traced in each turn, too."""
        around = {f.name for f in self._around.get(self.node, ()) if isinstance(f, ast.FunctionDef)}
        if any(_root(target) in names for target, _ in _changes(loop, []) if _is_name(target)):
            return True
        for node in ast.walk(loop):
            if node is self.node:
                return True
            if isinstance(node, ast.Call):
                called = ast.unparse(node.func).rpartition(".")[2]
                wraps = called == "function" and any(_mentions(argument, names) for argument in node.args)
                if wraps or called in around:
                    return True
        return False

    def _called(self, loop: ast.AST) -> list[ast.FunctionDef]:
        """The functions of the file that a loop calls by name: they may change global names."""
        called = {n.func.id for n in ast.walk(loop) if isinstance(n, ast.Call) and _is_name(n.func)}  # type: ignore[attr-defined]
        return [
            node
            for node in self.tree.body
            if isinstance(node, ast.FunctionDef) and node.name in called and node is not self.node
        ]

    def _as_read(self, target: ast.expr, loop: ast.AST) -> str | None:
        """What is changed as the step would write it; None when the step cannot see it."""
        text, root = ast.unparse(target).replace('"', "'"), _root(target)
        owner = self._owner()
        if owner is not None and root in self._objects(loop) and not _is_name(target):
            return owner + text[len(str(root)) :]
        function = next((f for f in self._around.get(loop, ()) if isinstance(f, _FUNCTIONS)), None)
        in_function = function is not None and root in _own_names(function)
        if in_function:
            visible = function in self._around.get(self.node, ()) and root in self.step.code.co_freevars
        else:
            visible = root not in self.step.code.co_freevars
        if isinstance(target, ast.Subscript) and isinstance(self._value(str(root)), _array_type()):
            text = str(root)
        return text if visible else None

    def _objects(self, loop: ast.AST) -> set[str]:
        """The names of the objects that the loop calls the step of."""
        return {
            node.value.id
            for node in ast.walk(loop)
            if isinstance(node, ast.Attribute)
            and node.attr == self.step.code.co_name
            and isinstance(node.value, ast.Name)
        }

    def _is_stale(self, text: str, target: ast.expr) -> bool:
        """Whether a graph has a copy of what is read: of a name always, of a part of an object if it is a value."""
        if _is_name(target):
            return True
        value = self._value(text)
        return isinstance(value, (*_PLAIN, _array_type())) or hasattr(value, "_id")

    def _value(self, text: str) -> Any:
        """What a name, an attribute or an item is, with no code of the script's run; a new object when unknown."""
        try:
            return self._of(ast.parse(text, mode="eval").body)
        except (LookupError, TypeError, ValueError, SyntaxError):
            return object()

    def _of(self, node: ast.expr) -> Any:
        function = getattr(self.step.function, "__func__", self.step.function)
        if isinstance(node, ast.Name):
            if node.id == self._owner():
                return self.step.function.__self__  # type: ignore[attr-defined]
            cells = dict(zip(self.step.code.co_freevars, function.__closure__ or (), strict=False))
            return cells[node.id].cell_contents if node.id in cells else function.__globals__[node.id]
        if isinstance(node, ast.Attribute):
            owner = self._of(node.value)
            attributes = dict_of(owner) or {}
            return attributes[node.attr] if node.attr in attributes else vars(type(owner))[node.attr]
        if isinstance(node, ast.Subscript):
            return dict.__getitem__(self._of(node.value), ast.literal_eval(node.slice))
        raise LookupError(ast.unparse(node))


def _array_type() -> type:
    import numpy as np

    return np.ndarray


def _parents(node: ast.AST, around: list[ast.AST], found: dict[ast.AST, list[ast.AST]]) -> None:
    found[node] = around
    for child in ast.iter_child_nodes(node):
        _parents(child, [node, *around], found)


def _defined_at(tree: ast.AST, line: int) -> _Function | None:
    """The function that begins at a line, decorators included."""
    for node in ast.walk(tree):
        if isinstance(node, _FUNCTIONS):
            lines = [node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))]
            if line in (min(lines), node.lineno):
                return node
    return None


def _is_name(node: ast.AST) -> bool:
    return isinstance(node, ast.Name)


def _root(node: ast.AST) -> str | None:
    while isinstance(node, (ast.Attribute, ast.Subscript)):
        node = node.value
    return node.id if isinstance(node, ast.Name) else None


def _own_names(function: ast.AST) -> set[str]:
    """Parameters and names that a function binds."""
    args = getattr(function, "args", None)
    found = {a.arg for a in ast.walk(args) if isinstance(a, ast.arg)} if args is not None else set()
    outer: set[str] = set()
    for node in ast.walk(function):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
        elif isinstance(node, (ast.Global, ast.Nonlocal)):
            outer.update(node.names)
    return found - outer


def _read_in(node: ast.AST) -> Iterator[ast.expr]:
    """Names, attributes and items that are read, the longest text of each; not what Python reads as a graph runs."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Call) and ast.unparse(child.func).endswith(_PYTHON_IN_GRAPH):
            continue
        readable = isinstance(child, (ast.Name, ast.Attribute, ast.Subscript))
        if readable and isinstance(child.ctx, ast.Load) and _root(child) is not None:  # type: ignore[attr-defined]
            yield child  # type: ignore[misc]
        yield from _read_in(child)


def _mentions(node: ast.AST, names: set[str]) -> bool:
    """Whether a function is called or handed on by one of these names."""
    return any(
        (isinstance(n, ast.Name) and n.id in names and isinstance(n.ctx, ast.Load))
        or (isinstance(n, ast.Attribute) and n.attr in names and isinstance(n.ctx, ast.Load))
        for n in ast.walk(node)
    )


def _changes(loop: ast.AST, called: list[ast.FunctionDef]) -> Iterator[tuple[ast.expr, int]]:
    """What the turns of a loop bind or change, and the line; in the functions it calls, global names."""
    pending = [loop]
    while pending:
        node = pending.pop(0)
        for target in _targets(node):
            yield target, target.lineno
        pending += [
            child
            for child in ast.iter_child_nodes(node)
            if not isinstance(child, (*_FUNCTIONS, ast.ClassDef))
        ]
    for function in called:
        shared = {name for node in ast.walk(function) if isinstance(node, ast.Global) for name in node.names}
        for node in ast.walk(function):
            for target in _targets(node):
                if isinstance(target, ast.Name) and target.id in shared:
                    yield target, target.lineno


def _targets(node: ast.AST) -> Iterator[ast.expr]:
    found: list[ast.expr] = []
    if isinstance(node, ast.Assign):
        found = list(node.targets)
    elif isinstance(node, (ast.AugAssign, ast.AnnAssign, ast.NamedExpr, ast.For)):
        found = [node.target]
    elif isinstance(node, ast.With):
        found = [item.optional_vars for item in node.items if item.optional_vars is not None]
    for target in found:
        yield from target.elts if isinstance(target, (ast.Tuple, ast.List)) else [target]
