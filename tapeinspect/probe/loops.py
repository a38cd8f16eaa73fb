"""Where the loops of a user's file are, so that a tape inside one tells which turn of it runs."""

from __future__ import annotations

import ast
import linecache
from dataclasses import dataclass

_Loop = ast.For | ast.While | ast.AsyncFor


@dataclass(frozen=True, slots=True)
class Loop:
    """A `for` or `while` statement. Lines count from 1."""

    line: int
    starts: tuple[int, ...]
    """First line of each statement of its body."""
    end: int
    weak: bool = False
    """No loop at all but statements of a module: what they call may be steps of its own."""

    def position(self, line: int | None) -> int | None:
        """0 on the loop's head, n in the nth statement of its body, None outside."""
        if line is None or not self.line <= line <= self.end:
            return None
        return sum(1 for start in self.starts if start <= line)


class LoopTable:
    """Finds the loop around a line; each file is parsed once."""

    def __init__(self) -> None:
        self._trees: dict[str, ast.Module | None] = {}
        self._in_file: dict[str, tuple[Loop, ...]] = {}

    def around_tape(self, path: str, line: int) -> Loop | None:
        """The loop whose turns are the batches of a tape opened at `line`; None: the whole call is one batch.

        That is the innermost loop around the tape, with two exceptions for loops inside a batch (several critic
        updates, say): when an outer loop opens a further tape, its turns are the batches; when the function opens one
        outside any loop, its calls are.
        """
        tree = self.tree(path)
        if tree is None:
            return None
        owner, loops = _innermost(tree, line)
        if not loops:
            return None
        others = [at for at in _tape_lines(owner) if not _inside(loops[-1], at)]
        if any(not _innermost(tree, at)[1] for at in others):
            return None
        while len(loops) > 1 and any(_inside(loops[-2], at) for at in others):
            loops.pop()
        loop = loops[-1]
        starts = tuple(statement.lineno for statement in loop.body)
        return Loop(loop.lineno, starts, loop.body[-1].end_lineno or starts[-1])

    def region(self, path: str, line: int) -> Loop | None:
        """The statements of a module that go with a tape opened at `line` outside any loop.

        From the tape's statement to the next loop, tape or definition, as a loop that never turns.
        """
        tree = self.tree(path)
        body = tree.body if tree is not None else []
        found: list[ast.stmt] = []
        for statement in body:
            if found and isinstance(statement, _COMPOUND):
                break
            if found or statement.lineno <= line <= (statement.end_lineno or statement.lineno):
                found.append(statement)
        if not found:
            return None
        return Loop(found[0].lineno, (), found[-1].end_lineno or found[-1].lineno, weak=True)

    def of_file(self, path: str) -> tuple[Loop, ...]:
        """The loops of a file whose turns will be batches once they open the tapes that stand in them."""
        found = self._in_file.get(path)
        if found is None:
            tree = self.tree(path)
            opened = [
                node.lineno
                for node in (ast.walk(tree) if tree is not None else ())
                if isinstance(node, ast.With) and any(opens_tape(item) for item in node.items)
            ]
            loops = [loop for line in opened if (loop := self.around_tape(path, line)) is not None]
            found = self._in_file[path] = tuple(dict.fromkeys(loops))
        return found

    def tree(self, path: str) -> ast.Module | None:
        """A file as a tree; None when it is not Python."""
        if path not in self._trees:
            try:
                self._trees[path] = ast.parse("".join(linecache.getlines(path)))
            except (SyntaxError, ValueError, RecursionError):
                self._trees[path] = None
        return self._trees[path]


def _innermost(tree: ast.AST, line: int) -> tuple[ast.AST, list[_Loop]]:
    """The innermost function (or the module) around a line, and the loops inside it around the line."""
    owner: ast.AST = tree
    loops: list[_Loop] = []
    node: ast.AST | None = tree
    while node is not None:
        inner = None
        for child in _children(node):
            if child.lineno <= line <= (child.end_lineno or child.lineno):
                inner = child
                break
        if isinstance(inner, _FUNCTIONS):
            owner, loops = inner, []
        elif isinstance(inner, _Loop) and inner.body[0].lineno <= line <= (inner.body[-1].end_lineno or 0):
            loops.append(inner)
        node = inner
    return owner, loops


def _inside(loop: _Loop, line: int) -> bool:
    return loop.lineno <= line <= (loop.end_lineno or loop.lineno)


def _children(node: ast.AST) -> list[ast.stmt | ast.excepthandler]:
    """Statements directly inside a node."""
    found: list[ast.stmt | ast.excepthandler] = []
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (ast.stmt, ast.excepthandler)):
            found.append(child)
        elif isinstance(child, ast.match_case):
            found.extend(child.body)
    return found


def _tape_lines(owner: ast.AST) -> list[int]:
    """Lines of the `with` statements of a function that open a GradientTape, those of inner functions left out."""
    lines: list[int] = []
    pending = list(ast.iter_child_nodes(owner))
    while pending:
        node = pending.pop()
        if isinstance(node, (*_FUNCTIONS, ast.ClassDef)):
            continue
        if isinstance(node, (ast.With, ast.AsyncWith)) and any(opens_tape(item) for item in node.items):
            lines.append(node.lineno)
        pending.extend(ast.iter_child_nodes(node))
    return lines


_COMPOUND = (
    ast.For, ast.While, ast.AsyncFor, ast.With, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.If, ast.Try,
)  # fmt: skip
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


def opens_tape(item: ast.withitem) -> bool:
    """Whether an item of a `with` is a new GradientTape, told from its text."""
    call = item.context_expr
    if not isinstance(call, ast.Call):
        return False
    function = call.func
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    return name == "GradientTape"
