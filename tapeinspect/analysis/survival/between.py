"""Whether the script changes an attribute between two batches: in the loop that the step is called from."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Mapping

from tapeinspect.source import Source
from tapeinspect.trace.records import SurveyFact

Place = tuple[str, int]
Function = ast.FunctionDef | ast.AsyncFunctionDef


def changed_between(fact: SurveyFact, sources: Mapping[str, Source], step: str) -> Place | None:
    """File and line that change the attribute that a fact of the kind "read" is of; None when none is sure to.

    Sure is what stands in the loop that a caller of the step is in: an assignment to the attribute of a name that is
    bound to the object, or a call of a method of the object's, other than `step`, that assigns to it. A name that the
    loop binds anew stands for another object in each turn, and says nothing; nor does the value that is there anyway.
    """
    attribute = fact.name.rpartition(".")[2]
    for path, first, line, names in fact.detail.get("callers", ()):
        tree = sources[path].tree if path in sources else None
        loop = _loop_at(_function(tree, first), line) if tree is not None else None
        if loop is None:
            continue
        known = set(names) - _bound_in(loop)
        for node in _nodes(loop):
            if _assigns(node, known, attribute, fact):
                return path, node.lineno
            if (method := _method_called(node, known)) not in (None, step):
                found = _assigned_in(method, attribute, fact, sources)
                if found is not None:
                    return found
    return None


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


def _bound_in(loop: ast.For | ast.While) -> set[str]:
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


def _method_called(node: ast.AST, names: Collection[str]) -> str | None:
    """The name of the method in `name.method(…)`."""
    function = node.func if isinstance(node, ast.Call) else None
    if isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name):
        return function.attr if function.value.id in names else None
    return None


def _assigned_in(
    method: str | None, attribute: str, fact: SurveyFact, sources: Mapping[str, Source]
) -> Place | None:
    """Where a method of the object's class assigns to the attribute; the function that reads it is told otherwise."""
    classes = fact.detail.get("classes", ())
    for path, source in sources.items():
        for cls in ast.walk(source.tree) if source.tree is not None else ():
            if not isinstance(cls, ast.ClassDef) or cls.name not in classes:
                continue
            for function in cls.body:
                if not isinstance(function, Function) or function.name != method or not function.args.args:
                    continue
                if path == fact.path and function.lineno <= fact.line <= (function.end_lineno or 0):
                    continue
                own = {function.args.args[0].arg}
                for node in _nodes(function):
                    if _assigns(node, own, attribute, fact):
                        return path, node.lineno
    return None
