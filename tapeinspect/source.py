"""What the text of a user's file says, for rules that need more than what happened on a line."""

from __future__ import annotations

import ast
from collections.abc import Iterator

_INPLACE = frozenset({"fill", "sort", "partition", "put", "itemset", "resize", "setfield"})


class Source:
    """One file of the user's. Knows nothing when its text was not kept, or is not Python."""

    def __init__(self, text: str | None) -> None:
        try:
            self.tree: ast.Module | None = ast.parse(text) if text else None
            """None when nothing is known."""
        except (SyntaxError, ValueError, RecursionError):
            self.tree = None

    def statement(self, line: int) -> ast.stmt | None:
        """The innermost statement that a line belongs to; of a compound one only its head."""
        found = [
            node
            for node in (ast.walk(self.tree) if self.tree is not None else ())
            if isinstance(node, ast.stmt) and node.lineno <= line <= (node.end_lineno or node.lineno)
        ]
        # `walk` goes from the outside in
        return _head(max(found, key=lambda n: (n.lineno, -(n.end_lineno or 0)), default=None))

    def changes(self, name: str, line: int, is_global: bool) -> int | None:
        """The line that binds a variable anew, or changes it, after it was bound first; None when none does.

        The function that `line` is in is left out: what it does itself is told otherwise. So is what stands above it
        and in no function: that prepares the value and is over when the function is first called.
        """
        if self.tree is None:
            return None
        scope = self.tree if is_global else self._outer(name, line)
        if scope is None:
            return None
        around = [f for f in self._functions_at(line) if is_global or _is_inside(f, scope)]
        own = {id(node) for function in around for node in ast.walk(function)}
        bound = False
        for node, again, in_function in _bindings(scope, name):
            if id(node) in own:
                continue
            later = in_function or node.lineno > line
            if later and (bound or again or isinstance(node, (ast.AugAssign, ast.Call))):
                return node.lineno
            bound = True
        return None

    def _functions_at(self, line: int) -> list[ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda]:
        tree = self.tree
        kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
        return [
            node
            for node in (ast.walk(tree) if tree is not None else ())
            if isinstance(node, kinds) and node.lineno <= line <= (node.end_lineno or node.lineno)
        ]

    def _outer(self, name: str, line: int) -> ast.AST | None:
        """The innermost function around a line, other than the one it is in, that binds a variable."""
        for function in sorted(self._functions_at(line), key=lambda f: -f.lineno)[1:]:
            if any(
                isinstance(n, ast.Name) and n.id == name and isinstance(n.ctx, ast.Store)
                for n in ast.walk(function)
            ):
                return function
        return None


def _is_inside(node: ast.AST, outer: ast.AST) -> bool:
    return node is not outer and any(found is node for found in ast.walk(outer))


def _bindings(scope: ast.AST, name: str) -> Iterator[tuple[ast.stmt | ast.Call, bool, bool]]:
    """(statement, whether it may run after the variable was bound first, and because a function is called) of each
    change of a variable."""
    pending = [(child, False, False) for child in ast.iter_child_nodes(scope)]
    while pending:
        node, again, called = pending.pop(0)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            inside = any(
                isinstance(n, (ast.Global, ast.Nonlocal)) and name in n.names for n in ast.walk(node)
            )
            local = any(_binds(n, name) for n in ast.walk(node) if isinstance(n, ast.stmt))
            if inside or not (local or name in _parameters(node)):
                pending += [(child, True, True) for child in node.body]
            continue
        if isinstance(node, (ast.Assign, ast.AugAssign, ast.AnnAssign)) and _binds(node, name):
            yield node, again, called
        elif isinstance(node, (ast.stmt, ast.Call)) and _changes(node, name):
            yield node, True, called
        inner = again or isinstance(node, (ast.For, ast.While))
        pending += [(child, inner, called) for child in ast.iter_child_nodes(node)]


def _parameters(node: ast.FunctionDef | ast.AsyncFunctionDef) -> set[str]:
    args = node.args
    known = [*args.posonlyargs, *args.args, *args.kwonlyargs, args.vararg, args.kwarg]
    return {arg.arg for arg in known if arg is not None}


def _binds(node: ast.stmt, name: str) -> bool:
    if isinstance(node, ast.Assign):
        return any(_stores(target, name) for target in node.targets)
    return isinstance(node, (ast.AugAssign, ast.AnnAssign)) and _stores(node.target, name)


def _stores(target: ast.expr, name: str) -> bool:
    if isinstance(target, (ast.Tuple, ast.List)):
        return any(_stores(part, name) for part in target.elts)
    return isinstance(target, ast.Name) and target.id == name


def _changes(node: ast.stmt | ast.Call, name: str) -> bool:
    """`array[...] = x`, `for name in ...`, `array.fill(x)`, `rng.shuffle(array)`."""
    if isinstance(node, ast.Call):
        return _changes_in_place(node, name)
    if isinstance(node, ast.For):
        return _stores(node.target, name)
    if isinstance(node, ast.AugAssign):
        targets: list[ast.expr] = [node.target]
    else:
        targets = node.targets if isinstance(node, ast.Assign) else []
    return any(
        isinstance(t, ast.Subscript) and isinstance(t.value, ast.Name) and t.value.id == name for t in targets
    )


def _changes_in_place(node: ast.Call, name: str) -> bool:
    """`array.fill(x)`, `rng.shuffle(array)`."""
    function = node.func
    if not isinstance(function, ast.Attribute):
        return False
    if function.attr == "shuffle":
        return any(isinstance(arg, ast.Name) and arg.id == name for arg in node.args)
    return function.attr in _INPLACE and isinstance(function.value, ast.Name) and function.value.id == name


def _head(node: ast.stmt | None) -> ast.stmt | None:
    """A compound statement without its body, which other lines are."""
    if isinstance(node, (ast.If, ast.While)):
        return ast.copy_location(ast.Expr(node.test), node)
    if isinstance(node, (ast.For, ast.AsyncFor)):
        return ast.copy_location(ast.Expr(node.iter), node)
    if isinstance(
        node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.With, ast.AsyncWith, ast.Try)
    ):
        return None
    return node
