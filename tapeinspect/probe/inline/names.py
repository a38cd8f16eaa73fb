"""Which names statements read before they bind them, bind, and surely have bound when they are through."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence

_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


class Names:
    """Follows statements in their order.

    bound: names that have a value before the first of them. hopeful: loops inside them run, and comprehensions too,
    at least once.
    """

    def __init__(self, bound: Iterable[str] = (), hopeful: bool = False) -> None:
        self.reads: dict[str, None] = {}
        """Names that may be read before these statements bind them, in the order of the source."""
        self.binds: dict[str, None] = {}
        """Names that they may bind or delete."""
        self.exits: list[set[str]] = []
        """What is surely bound at each `continue` of the loop whose body the statements are."""
        self._before = set(bound)
        self._hopeful = hopeful

    def follow(self, statements: Sequence[ast.stmt]) -> set[str] | None:
        """Go through; what is surely bound behind the last one, None when that is never reached."""
        return self._block(statements, set(self._before), True)

    def turn(self, loop: ast.For | ast.While) -> set[str] | None:
        """Go through one turn of a loop, from where a `for` has bound its targets or a `while` asks its test."""
        bound = set(self._before)
        if isinstance(loop, ast.For):
            self._target(loop.target, bound)
        else:
            self._expression(loop.test, bound)
        return self._block(loop.body, bound, True)

    def _block(self, body: Sequence[ast.stmt], bound: set[str], outermost: bool) -> set[str] | None:
        for statement in body:
            after = self._statement(statement, bound, outermost)
            if after is None:
                return None
            bound = after
        return bound

    def _statement(self, node: ast.stmt, bound: set[str], outermost: bool) -> set[str] | None:
        if isinstance(node, (ast.Return, ast.Raise)):
            self._inside(node, bound)
            return None
        if isinstance(node, ast.Continue):
            if outermost:
                self.exits.append(set(bound))
            return None
        if isinstance(node, ast.Break):
            return None
        if isinstance(node, (ast.For, ast.AsyncFor, ast.While)):
            return self._loop(node, bound)
        if isinstance(node, ast.If):
            self._expression(node.test, bound)
            ways = [self._block(part, set(bound), outermost) for part in (node.body, node.orelse)]
            return _meet(ways)
        if isinstance(node, (ast.With, ast.AsyncWith)):
            for item in node.items:
                self._expression(item.context_expr, bound)
                if item.optional_vars is not None:
                    self._target(item.optional_vars, bound)
            return self._block(node.body, bound, outermost)
        if isinstance(node, ast.Try) or type(node).__name__ == "TryStar":
            return self._try(node, bound, outermost)  # type: ignore[arg-type]
        if isinstance(node, ast.Match):
            return self._match(node, bound, outermost)
        self._simple(node, bound)
        return bound

    def _loop(self, node: ast.For | ast.AsyncFor | ast.While, bound: set[str]) -> set[str] | None:
        if isinstance(node, ast.While):
            self._expression(node.test, bound)
            inner = set(bound)
        else:
            self._expression(node.iter, bound)
            inner = set(bound)
            self._target(node.target, inner)
        after = self._block(node.body, inner, False)
        self._block(node.orelse, set(bound), False)
        return (after or inner) if self._hopeful else bound

    def _try(self, node: ast.Try, bound: set[str], outermost: bool) -> set[str] | None:
        ways = [self._block([*node.body, *node.orelse], set(bound), outermost)]
        for handler in node.handlers:
            inner = set(bound)
            if handler.type is not None:
                self._expression(handler.type, inner)
            if handler.name:
                self._bind(handler.name, inner)
            after = self._block(handler.body, inner, outermost)
            if after is not None and handler.name:
                after.discard(handler.name)  # Python deletes it
            ways.append(after)
        last = Names(bound, self._hopeful)
        ensured = last.follow(node.finalbody)
        self.reads.update(last.reads)
        self.binds.update(last.binds)
        met = _meet(ways)
        return None if met is None or ensured is None else met | ensured

    def _match(self, node: ast.Match, bound: set[str], outermost: bool) -> set[str] | None:
        self._expression(node.subject, bound)
        last = node.cases[-1]
        for_all = (
            last.guard is None and isinstance(last.pattern, ast.MatchAs) and last.pattern.pattern is None
        )
        ways: list[set[str] | None] = [] if for_all else [set(bound)]
        for case in node.cases:
            inner = set(bound)
            for part in ast.walk(case.pattern):
                if isinstance(part, ast.expr):
                    self._expression(part, inner)
                for name in (getattr(part, "name", None), getattr(part, "rest", None)):
                    if isinstance(name, str):
                        self._bind(name, inner)
            if case.guard is not None:
                self._expression(case.guard, inner)
            ways.append(self._block(case.body, inner, outermost))
        return _meet(ways)

    def _simple(self, node: ast.stmt, bound: set[str]) -> None:
        if isinstance(node, ast.Assign):
            self._expression(node.value, bound)
            for target in node.targets:
                self._target(target, bound)
        elif isinstance(node, ast.AugAssign):
            if isinstance(node.target, ast.Name):
                self._read(node.target.id, bound)
            self._expression(node.value, bound)
            self._target(node.target, bound)
        elif isinstance(node, ast.AnnAssign):
            if node.value is not None:
                self._expression(node.value, bound)
                self._target(node.target, bound)
        elif isinstance(node, ast.Delete):
            for target in node.targets:
                self._delete(target, bound)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            for alias in node.names:
                self._bind(alias.asname or alias.name.partition(".")[0], bound)
        elif isinstance(node, _SCOPES):
            self._scope(node, bound)
            self._bind(node.name, bound)
        elif not isinstance(node, (ast.Global, ast.Nonlocal)):
            self._inside(node, bound)

    def _delete(self, target: ast.expr, bound: set[str]) -> None:
        if isinstance(target, ast.Name):
            self._read(target.id, bound)
            self.binds.setdefault(target.id)
            bound.discard(target.id)
        else:
            self._inside(target, bound)

    def _target(self, node: ast.expr, bound: set[str]) -> None:
        if isinstance(node, ast.Name):
            self._bind(node.id, bound)
        elif isinstance(node, (ast.Tuple, ast.List)):
            for item in node.elts:
                self._target(item, bound)
        elif isinstance(node, ast.Starred):
            self._target(node.value, bound)
        else:
            self._inside(node, bound)

    def _expression(self, node: ast.expr, bound: set[str]) -> None:
        if isinstance(node, ast.Name):
            self._read(node.id, bound)
        elif isinstance(node, ast.NamedExpr):
            self._expression(node.value, bound)
            self._target(node.target, bound)
        elif isinstance(node, (ast.BoolOp, ast.IfExp)):
            first = node.values[0] if isinstance(node, ast.BoolOp) else node.test
            self._expression(first, bound)
            for part in ast.iter_child_nodes(node):
                if part is not first and isinstance(part, ast.expr):
                    self._expression(part, set(bound))
        elif isinstance(node, (*_COMPREHENSIONS, ast.Lambda)):
            self._scope(node, bound)
        else:
            self._inside(node, bound)

    def _inside(self, node: ast.AST, bound: set[str]) -> None:
        for part in ast.iter_child_nodes(node):
            if isinstance(part, ast.expr):
                self._expression(part, bound)
            elif not isinstance(part, ast.expr_context):
                self._inside(part, bound)

    def _scope(self, node: ast.AST, bound: set[str]) -> None:
        """Something with names of its own: it reads those that it does not bind itself."""
        for name in free_names(node):
            self._read(name, bound)
        for part in ast.walk(node):
            if isinstance(part, ast.NamedExpr) and isinstance(node, _COMPREHENSIONS):
                self.binds.setdefault(part.target.id)
                if self._hopeful:
                    bound.add(part.target.id)

    def _read(self, name: str, bound: set[str]) -> None:
        if name not in bound:
            self.reads.setdefault(name)

    def _bind(self, name: str, bound: set[str]) -> None:
        self.binds.setdefault(name)
        bound.add(name)


def free_names(node: ast.AST) -> dict[str, None]:
    """The names that a function, lambda, class or comprehension takes from around it."""
    loads: dict[str, None] = {}
    stores: set[str] = set()
    outside: set[str] = set()
    for part in ast.walk(node):
        if isinstance(part, ast.Name):
            if isinstance(part.ctx, ast.Load):
                loads.setdefault(part.id)
            else:
                stores.add(part.id)
        elif isinstance(part, ast.arg):
            stores.add(part.arg)
        elif isinstance(part, (ast.Global, ast.Nonlocal)):
            outside.update(part.names)
            loads.update(dict.fromkeys(part.names))
        elif part is not node and isinstance(part, _SCOPES) and not isinstance(part, ast.Lambda):
            stores.add(part.name)
    # what is read where the thing is made, whatever it calls its own names
    made = [*getattr(node, "decorator_list", ()), *getattr(node, "bases", ())]
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
        made += [d for d in (*node.args.defaults, *node.args.kw_defaults) if d is not None]
    if isinstance(node, _COMPREHENSIONS):
        made.append(node.generators[0].iter)
    around = [p.id for m in made for p in ast.walk(m) if isinstance(p, ast.Name)]
    own = {name: None for name in loads if name not in stores or name in outside}
    return {**dict.fromkeys(around), **own}


def bound_in(nodes: Iterable[ast.AST]) -> set[str]:
    """Names that these nodes may bind, those of functions inside them left out."""
    found = Names()
    for node in nodes:
        if isinstance(node, ast.stmt):
            found.follow([node])
        elif isinstance(node, ast.expr):
            found._target(node, set())
    return set(found.binds)


def _meet(ways: list[set[str] | None]) -> set[str] | None:
    """What is bound whichever way was taken."""
    ends = [way for way in ways if way is not None]
    return set.intersection(*ends) if ends else None
