"""Statements that give what an iterator hands out a name, `x, y = next(batches)`, found in the source."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import CodeType, ModuleType
from typing import Any, Final

from tapeinspect.probe.inline.names import bound_in
from tapeinspect.probe.inline.statements import FUNCTIONS, is_tape, overwritten, own_nodes
from tapeinspect.probe.introspect import dict_of

_BLOCKS: Final = ("body", "orelse", "finalbody")
_MISSING: Final[Any] = object()


@dataclass(frozen=True, slots=True)
class Take:
    """One such statement."""

    statement: ast.Assign
    source: ast.expr
    """What `next` is called with."""
    behind: tuple[ast.stmt, ...]
    """The statements behind it in its block."""
    alone: bool
    """Nothing else in the function binds these names."""

    def item(self, line: int, local: Mapping[str, Any], scope: Mapping[str, Any]) -> tuple[Any, Any] | None:
        """(the iterator, what it gave last), looked at from a line of the function; None when that is not known."""
        statement = self.statement
        end = statement.end_lineno or statement.lineno
        if statement.lineno <= line <= end:
            return None
        names = bound_in([statement])
        if not self.alone:
            last = self.behind[-1].end_lineno if self.behind else None
            if last is None or not end < line <= last:
                return None
            if any(overwritten(self.behind, name, line) for name in names):
                return None
        given = _value(statement.targets[0], local, scope)
        source = _resolve(self.source, local, scope)
        return None if given is _MISSING or source is _MISSING else (source, given)


def takes_of(tree: ast.Module, code: CodeType) -> tuple[Take, ...]:
    """Those of a function, or module, that opens a tape."""
    owner = _owner(tree, code)
    if owner is None:
        return ()
    own = [node for statement in owner.body for node in own_nodes(statement)]
    if not any(is_tape(node) for node in own):
        return ()
    found = []
    for block in _blocks(owner.body):
        for index, statement in enumerate(block):
            source = _taken_from(statement)
            if source is not None and isinstance(statement, ast.Assign):
                names = bound_in([statement])
                alone = not any(
                    isinstance(node, ast.Name) and node.id in names and not isinstance(node.ctx, ast.Load)
                    for other in own
                    if other is not statement and isinstance(other, ast.stmt)
                    for node in _shallow(other)
                )
                found.append(Take(statement, source, tuple(block[index + 1 :]), alone))
    return tuple(sorted(found, key=lambda take: take.statement.lineno))


def _owner(tree: ast.Module, code: CodeType) -> ast.Module | ast.FunctionDef | None:
    if code.co_name == "<module>":
        return tree
    for node in ast.walk(tree):
        if not isinstance(node, ast.FunctionDef) or node.name != code.co_name:
            continue
        if min([node.lineno, *(d.lineno for d in node.decorator_list)]) == code.co_firstlineno:
            return node
    return None


def _blocks(body: Sequence[ast.stmt]) -> Iterator[Sequence[ast.stmt]]:
    """The blocks of statements in a block, itself included; those of functions and classes left out."""
    yield body
    for statement in body:
        if isinstance(statement, (*FUNCTIONS, ast.ClassDef)):
            continue
        for name in _BLOCKS:
            inner = getattr(statement, name, None)
            if inner:
                yield from _blocks(inner)
        for part in (*getattr(statement, "handlers", ()), *getattr(statement, "cases", ())):
            yield from _blocks(part.body)


def _shallow(statement: ast.stmt) -> Iterator[ast.AST]:
    """The nodes of a statement, those of statements inside it left out."""
    pending: list[ast.AST] = [statement]
    while pending:
        node = pending.pop()
        yield node
        pending.extend(n for n in ast.iter_child_nodes(node) if not isinstance(n, (ast.stmt, *FUNCTIONS)))


def _taken_from(statement: ast.stmt) -> ast.expr | None:
    if not isinstance(statement, ast.Assign) or len(statement.targets) != 1:
        return None
    call = statement.value
    if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "next"):
        return None
    return call.args[0] if call.args and not call.keywords and _plain(statement.targets[0]) else None


def _plain(target: ast.expr) -> bool:
    if isinstance(target, (ast.Tuple, ast.List)):
        return all(_plain(item) for item in target.elts)
    return isinstance(target, ast.Name)


def _value(target: ast.expr, local: Mapping[str, Any], scope: Mapping[str, Any]) -> Any:
    if isinstance(target, ast.Name):
        return local.get(target.id, scope.get(target.id, _MISSING))
    assert isinstance(target, (ast.Tuple, ast.List))
    values = [_value(item, local, scope) for item in target.elts]
    return _MISSING if any(value is _MISSING for value in values) else tuple(values)


def _resolve(node: ast.expr, local: Mapping[str, Any], scope: Mapping[str, Any]) -> Any:
    """What an expression of names, attributes and constant keys means, without running any code of the script's."""
    if isinstance(node, ast.Name):
        return local.get(node.id, scope.get(node.id, _MISSING))
    if isinstance(node, ast.Attribute):
        owner = _resolve(node.value, local, scope)
        names = vars(owner) if isinstance(owner, ModuleType) else dict_of(owner)
        return _MISSING if owner is _MISSING else (names or {}).get(node.attr, _MISSING)
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
        owner, key = _resolve(node.value, local, scope), node.slice.value
        if type(owner) is dict:
            return owner.get(key, _MISSING)
        if type(owner) in (list, tuple) and type(key) is int and -len(owner) <= key < len(owner):
            return owner[key]
    return _MISSING
