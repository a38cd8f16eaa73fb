"""Whether the script changes an attribute between two batches: in the loop that the step is called from."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Mapping

from tapeinspect.source import Source
from tapeinspect.trace.records import SurveyFact

Place = tuple[str, int]
Function = ast.FunctionDef | ast.AsyncFunctionDef
_DEEPEST = 3
"""Calls within calls that are followed."""


def changed_between(fact: SurveyFact, sources: Mapping[str, Source], step: str) -> Place | None:
    """File and line that change the attribute that a fact of the kind "read" is of; None when none is sure to.

    Sure is what stands in the loop that a caller of the step is in, or in what is called from there other than `step`:
    an assignment to the attribute of a name that is bound to the object. In a function that is a global name, or a
    parameter that is given the object; in a method of the object's, its first parameter. A name that the loop binds
    anew stands for another object in each turn, and says nothing; nor does the value that is there anyway.
    """
    look = _Look(fact, sources, step)
    for path, first, line, names in fact.detail.get("callers", ()):
        tree = sources[path].tree if path in sources else None
        loop = _loop_at(_function(tree, first), line) if tree is not None else None
        if loop is None:
            continue
        found = look.within(loop, path, set(names) - _bound_in(loop))
        if found is not None:
            return found
    return None


class _Look:
    """Looks for a change of one attribute."""

    def __init__(self, fact: SurveyFact, sources: Mapping[str, Source], step: str) -> None:
        self._fact = fact
        self._sources = sources
        self._step = step.rpartition(".")[2]
        self._attribute = fact.name.rpartition(".")[2]
        self._globals: dict[str, set[str]] = {}
        """By file: the global names of the object."""
        for path, first, _, names in fact.detail.get("callers", ()):
            if first == 0:
                self._globals.setdefault(path, set()).update(names)
        self._depth = 0

    def within(self, parent: ast.AST, path: str, names: set[str]) -> Place | None:
        """Where what runs in a statement or function changes the attribute of an object that has these names."""
        for node in _nodes(parent):
            if _assigns(node, names, self._attribute, self._fact):
                return path, node.lineno
            if isinstance(node, ast.Call) and self._depth < _DEEPEST:
                self._depth += 1
                found = self._in_called(node, path, names)
                self._depth -= 1
                if found is not None:
                    return found
        return None

    def _in_called(self, call: ast.Call, path: str, names: set[str]) -> Place | None:
        for where, function, bound in self._called(call, path, names):
            fact = self._fact
            reads = where == fact.path and function.lineno <= fact.line <= (function.end_lineno or 0)
            if function.name == self._step or reads:
                continue
            known = _given(call, function, names, bound)
            known |= self._globals.get(where, set()) - _parameters(function)
            known -= _bound_in(function)
            found = self.within(function, where, known) if known else None
            if found is not None:
                return found
        return None

    def _called(self, call: ast.Call, path: str, names: set[str]) -> list[tuple[str, Function, bool | None]]:
        """(file, function, whether its first parameter is the object; None when it is no method) of what a call runs.

        A function of that name in another file, or a method of an object that is not known, is it when there is but
        one.
        """
        if isinstance(call.func, ast.Name):
            name = call.func.id
            own = [(path, f, None) for f in _functions(self._sources[path].tree) if f.name == name]
            if own:
                return [*own]
            others = [
                (p, f, None) for p, s in self._sources.items() for f in _functions(s.tree) if f.name == name
            ]
            return [*others] if len(others) == 1 else []
        if not isinstance(call.func, ast.Attribute):
            return []
        owner, name = call.func.value, call.func.attr
        methods = [
            (p, cls, f)
            for p, s in self._sources.items()
            for cls in (ast.walk(s.tree) if s.tree is not None else ())
            if isinstance(cls, ast.ClassDef)
            for f in _functions(cls)
            if f.name == name
        ]
        if isinstance(owner, ast.Name) and owner.id in names:
            classes = self._fact.detail.get("classes", ())
            return [(p, f, True) for p, cls, f in methods if cls.name in classes]
        return [(p, f, False) for p, _, f in methods] if len(methods) == 1 else []


def _functions(parent: ast.Module | ast.ClassDef | None) -> list[Function]:
    return [node for node in (parent.body if parent is not None else ()) if isinstance(node, Function)]


def _parameters(function: Function) -> set[str]:
    args = function.args
    return {a.arg for a in (*args.posonlyargs, *args.args, *args.kwonlyargs, args.vararg, args.kwarg) if a}


def _given(call: ast.Call, function: Function, names: set[str], bound: bool | None) -> set[str]:
    """The parameters that a call gives the object to."""
    plain = [arg.arg for arg in (*function.args.posonlyargs, *function.args.args)]
    known = {plain[0]} if bound and plain else set()
    places = plain if bound is None else plain[1:]
    starred = next((n for n, arg in enumerate(call.args) if isinstance(arg, ast.Starred)), len(call.args))
    pairs = [*zip(places, call.args[:starred], strict=False), *((k.arg, k.value) for k in call.keywords)]
    known |= {name for name, value in pairs if name and isinstance(value, ast.Name) and value.id in names}
    return known & _parameters(function)


def _function(tree: ast.Module, first: int) -> ast.Module | Function | None:
    """The function that begins at a line, decorators included; the module for 0."""
    if first == 0:
        return tree
    return next((f for f in ast.walk(tree) if isinstance(f, Function) and first in _heads(f)), None)


def _heads(function: Function) -> range:
    begin = min([function.lineno, *(node.lineno for node in function.decorator_list)])
    return range(begin, function.lineno + 1)


def _loop_at(function: ast.Module | Function | None, line: int) -> ast.For | ast.While | None:
    """The outermost loop of a function that holds a line."""
    loops = [
        node
        for node in (_nodes(function) if function is not None else ())
        if isinstance(node, (ast.For, ast.While)) and node.lineno <= line <= (node.end_lineno or node.lineno)
    ]
    return min(loops, key=lambda loop: loop.lineno, default=None)


def _nodes(parent: ast.AST) -> Iterator[ast.stmt | ast.expr]:
    """What runs when a statement or function runs: not the functions and classes that are written in it."""
    for child in ast.iter_child_nodes(parent):
        if isinstance(child, (Function, ast.ClassDef, ast.Lambda)):
            continue
        if isinstance(child, (ast.stmt, ast.expr)):
            yield child
        yield from _nodes(child)


def _bound_in(loop: ast.AST) -> set[str]:
    names = (node for node in _nodes(loop) if isinstance(node, ast.Name))
    return {node.id for node in names if not isinstance(node.ctx, ast.Load)}


def _targets(node: ast.AST) -> list[ast.expr]:
    if isinstance(node, ast.Assign):
        found = list(node.targets)
    elif isinstance(node, ast.AugAssign) or (isinstance(node, ast.AnnAssign) and node.value is not None):
        found = [node.target]
    else:
        return []
    flat: list[ast.expr] = []
    while found:
        target = found.pop()
        if isinstance(target, (ast.Tuple, ast.List)):
            found += target.elts
        else:
            flat.append(target)
    return flat


def _assigns(node: ast.AST, names: Collection[str], attribute: str, fact: SurveyFact) -> bool:
    """`name.attribute = …`, `name.attribute *= …`, `name.attribute[…] = …`."""
    same = isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
    if same and repr(node.value.value) == fact.detail.get("value"):  # type: ignore[attr-defined]
        return False
    for target in _targets(node):
        if isinstance(target, ast.Subscript):
            target = target.value
        owner = target.value if isinstance(target, ast.Attribute) and target.attr == attribute else None
        if isinstance(owner, ast.Name) and owner.id in names:
            return True
    return False
