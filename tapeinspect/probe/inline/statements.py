"""What single statements of a loop's body are and do, told from the source."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from typing import TypeGuard

from tapeinspect.probe.inline.names import bound_in
from tapeinspect.probe.loops import Loop, opens_tape

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
LOOPS = (ast.For, ast.AsyncFor, ast.While)


def is_tape(node: ast.AST) -> bool:
    """Whether a node is a `with` that opens a GradientTape."""
    return isinstance(node, ast.With) and any(opens_tape(item) for item in node.items)


def ends_turn(statement: ast.stmt) -> bool:
    """Whether a statement of a loop's body may `continue` with the next turn."""
    return any(isinstance(node, ast.Continue) for node in own_nodes(statement, through_loops=False))


def is_stored(node: ast.AST) -> TypeGuard[ast.Name]:
    """Whether a node is a name that is bound."""
    return isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)


def path_to(tree: ast.AST, loop: Loop) -> list[ast.AST] | None:
    """The nodes from a loop's function, or the module, to the loop itself; None when it is not there."""
    found: list[ast.AST] = [tree]
    node: ast.AST | None = tree
    while node is not None:
        inner = None
        for child in _parts(node):
            if child.lineno <= loop.line and loop.end <= (child.end_lineno or child.lineno):
                inner = child
                break
        if inner is None:
            return None
        if isinstance(inner, FUNCTIONS):
            found = []
        found.append(inner)
        if isinstance(inner, LOOPS) and inner.lineno == loop.line:
            return found
        node = inner
    return None


def _parts(node: ast.AST) -> Iterator[ast.stmt | ast.excepthandler]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (ast.stmt, ast.excepthandler)):
            yield child
        elif isinstance(child, ast.match_case):
            yield from child.body


def rest_behind(parent: ast.AST, child: ast.AST) -> Sequence[ast.stmt]:
    """The statements of a node that run behind one of it."""
    if isinstance(parent, ast.Match):
        blocks: list[list[ast.stmt]] = [case.body for case in parent.cases]
    else:
        blocks = [getattr(parent, name, []) for name in ("body", "orelse", "finalbody")]
    for index, block in enumerate(blocks):
        if child in block:
            rest = block[block.index(child) + 1 :]
            if isinstance(parent, ast.Try):
                later = blocks[index + 1 :]
                return [*rest, *(statement for b in later for statement in b)]
            if isinstance(parent, LOOPS):
                return [*rest, *parent.orelse]
            return rest
    return getattr(parent, "finalbody", [])


def own_nodes(statement: ast.AST, through_loops: bool = True) -> Iterator[ast.AST]:
    """The nodes of a statement, those of functions and classes inside it left out."""
    pending: list[ast.AST] = [statement]
    while pending:
        node = pending.pop()
        yield node
        if isinstance(node, (*FUNCTIONS, ast.ClassDef)) or (not through_loops and isinstance(node, LOOPS)):
            continue
        pending.extend(ast.iter_child_nodes(node))


def leaves(statement: ast.stmt) -> tuple[str, int] | None:
    """(what, line) when a statement may leave the loop, or the function around it, for good or for a while."""
    words = ((ast.Return, "return"), (ast.Yield, "yield"), (ast.YieldFrom, "yield"), (ast.Await, "await"))
    for node in own_nodes(statement):
        for kind, word in (*words, (ast.AsyncWith, "await"), (ast.AsyncFor, "await")):
            if isinstance(node, kind):
                return word, getattr(node, "lineno", statement.lineno)
    for node in own_nodes(statement, through_loops=False):
        if isinstance(node, ast.Break):
            return "break", node.lineno
        if isinstance(node, LOOPS):  # a `break` behind its end is this loop's
            for later in node.orelse:
                if (found := leaves(later)) is not None:
                    return found
    return None


def counts(statement: ast.stmt) -> bool:
    """Whether a statement counts batches: `step += 1`."""
    return (
        isinstance(statement, ast.AugAssign)
        and isinstance(statement.target, ast.Name)
        and isinstance(statement.value, ast.Constant)
    )


def takes(statement: ast.stmt) -> bool:
    """Whether a statement takes the next item of an iterator."""
    for node in own_nodes(statement):
        if isinstance(node, ast.Call):
            if isinstance(node.func, ast.Name) and node.func.id == "next":
                return True
            if isinstance(node.func, ast.Attribute) and node.func.attr in ("get_next", "__next__"):
                return True
    return False


def functions_outside(owner: ast.AST, loop: ast.AST) -> Iterator[ast.AST]:
    """The functions written in another, or in a module, outside of a loop: they may read its names at any time."""
    pending: list[ast.AST] = list(ast.iter_child_nodes(owner))
    while pending:
        node = pending.pop()
        if node is loop:
            continue
        if isinstance(node, FUNCTIONS):
            yield node
            continue
        pending.extend(ast.iter_child_nodes(node))


def overwritten(body: Sequence[ast.stmt], name: str, line: int) -> bool:
    """Whether one of some statements may have bound a name before a line of them ran."""
    for statement in body:
        if statement.lineno > line:
            return False
        if (statement.end_lineno or statement.lineno) < line:
            if name in bound_in([statement]):
                return True
            continue
        return _overwritten_within(statement, name, line)
    return False


def _overwritten_within(statement: ast.stmt, name: str, line: int) -> bool:
    """The same of the statement that runs."""
    if isinstance(statement, (ast.If, ast.With, ast.Try)):
        if any(isinstance(n, ast.NamedExpr) and n.target.id == name for n in own_nodes(statement)):
            return True
        if isinstance(statement, ast.With) and line >= statement.body[0].lineno:
            targets = [item.optional_vars for item in statement.items if item.optional_vars is not None]
            if name in bound_in(targets):
                return True
        handlers = [handler.body for handler in getattr(statement, "handlers", ())]
        before: list[ast.stmt] = []
        for block in (
            statement.body,
            *handlers,
            getattr(statement, "orelse", []),
            getattr(statement, "finalbody", []),
        ):
            if block and block[0].lineno <= line <= (block[-1].end_lineno or 0):
                tried = before if isinstance(statement, ast.Try) else []
                return name in bound_in(tried) or overwritten(block, name, line)
            before = [*before, *block]
        return False
    if isinstance(statement, (ast.Assign, ast.AugAssign, ast.AnnAssign, ast.Expr, ast.Assert, ast.Delete)):
        targets = getattr(statement, "targets", [])
        stores = any(isinstance(n, (ast.Subscript, ast.Attribute)) for t in targets for n in ast.walk(t))
        walrus = any(isinstance(n, ast.NamedExpr) and n.target.id == name for n in ast.walk(statement))
        return walrus or (stores and name in bound_in([statement]))
    return name in bound_in([statement])
