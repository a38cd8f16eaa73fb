"""The body of a loop as a function: what it would be given, what it would give back, and whether it can be one."""

from __future__ import annotations

import ast
import linecache
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from tapeinspect.probe.inline.names import Names, bound_in, free_names
from tapeinspect.probe.inline.statements import (
    LOOPS,
    counts,
    ends_turn,
    functions_outside,
    is_stored,
    is_tape,
    leaves,
    overwritten,
    own_nodes,
    rest_behind,
    takes,
)
from tapeinspect.probe.loops import Loop, opens_tape

INSTEAD = "put what is done for one batch into a function of its own: that can be traced and be a tf.function"


@dataclass(frozen=True, slots=True)
class Cut:
    """The statements of a body that the function consists of, and the names it has to do with."""

    first: int
    """Index of its first statement."""
    end: int
    """Index of the statement behind its last."""
    reads: tuple[str, ...]
    """Names that it reads before it binds them, in the order of the source."""
    binds: frozenset[str]
    certain: frozenset[str]
    """Names that it has surely bound at its end."""


class LoopBody:
    """What can be told of a loop's body from the source."""

    def __init__(self, path: str, loop: Loop, around: Sequence[ast.AST]) -> None:
        """around: the nodes from the loop's function, or the module, to the loop itself, which is the last."""
        self.path = path
        self.loop = loop
        self.node: ast.For | ast.While | ast.AsyncFor = around[-1]  # type: ignore[assignment]
        self.statements = self.node.body
        self.owner = around[0]
        self._around = tuple(around[:-1])
        self.tape = self._tape()
        """Index of the statement that opens the tape."""
        self.first, self.end = self._stretch()
        self._cuts: dict[int, Cut] = {}

    @property
    def line(self) -> int:
        """Of the loop's head."""
        return self.node.lineno

    @cached_property
    def targets(self) -> tuple[str, ...]:
        """Names that the head of a `for` binds, in its order."""
        nodes = () if isinstance(self.node, ast.While) else ast.walk(self.node.target)
        names = [node for node in nodes if is_stored(node)]
        return tuple(node.id for node in sorted(names, key=lambda node: (node.lineno, node.col_offset)))

    def in_order(self, names: Iterable[str]) -> list[str]:
        """What the head binds first, in its order, then the others in theirs."""
        place = {name: index for index, name in enumerate(self.targets)}
        return sorted(names, key=lambda name: place.get(name, len(place)))

    @cached_property
    def bound(self) -> frozenset[str]:
        """Names that the loop binds, in its head or body."""
        return frozenset(self.targets) | bound_in(self.statements)

    @cached_property
    def outer(self) -> frozenset[str]:
        """Names that only the loops around this one bind: they stay the same for many batches."""
        found: set[str] = set()
        for node in self._around:
            if isinstance(node, LOOPS):
                found |= bound_in([node])
        return frozenset(found) - self.bound

    @cached_property
    def read_later(self) -> frozenset[str]:
        """Names that are read behind a batch: by what is left of its turn, by the next one, or behind the loop."""
        found: set[str] = set()
        rest = Names()
        rest.follow(self.statements[self.end :])
        turn = Names()
        if not isinstance(self.node, ast.AsyncFor):
            turn.turn(self.node)
        found.update(rest.reads, turn.reads, self._behind())
        for node in functions_outside(self.owner, self.node):
            found.update(free_names(node))
        return frozenset(found)

    def _behind(self) -> set[str]:
        """Names that are read behind the loop before they are bound again."""
        reads: set[str] = set()
        bound: set[str] | None = set()
        child: ast.AST = self.node
        rest: Sequence[ast.stmt] = self.node.orelse
        for parent in (*reversed(self._around), None):
            names = Names(bound or ())
            bound = names.follow(rest)
            reads.update(names.reads)
            if bound is None or parent is None:
                break
            if isinstance(parent, (ast.For, ast.While)) and child in parent.body:
                again = Names(bound)
                again.turn(parent)
                reads.update(again.reads)
            rest, child = rest_behind(parent, child), parent
        return reads

    def cut(self, first: int | None = None) -> Cut:
        """The function that begins with a statement; None: with the first that it can begin with."""
        first = self.first if first is None else first
        found = self._cuts.get(first)
        if found is None:
            found = self._cuts[first] = self._cut(first)
        return found

    def _cut(self, first: int) -> Cut:
        statements = self.statements[first : self.end]
        ways = []
        for hopeful in (False, True):
            names = Names((), hopeful)
            after = names.follow(statements)
            ends = [*names.exits, *([after] if after is not None else [])]
            ways.append((names.reads, frozenset(set.intersection(*ends)) if ends else frozenset[str]()))
        binds = frozenset(names.binds)
        (first_reads, certain), (hoped_reads, hoped_certain) = ways
        # A name that nothing outside of the loop binds has its value from the body itself, or the script would fail.
        certain |= hoped_certain - self.bound_outside
        reads = [n for n in first_reads if n in hoped_reads or n in self.bound_outside or n not in binds]
        # what may keep the value that it had is passed through
        passed = [n for n in names.binds if n in self.read_later and n not in certain]
        return Cut(first, self.end, tuple(dict.fromkeys([*reads, *passed])), binds, certain)

    @cached_property
    def bound_outside(self) -> frozenset[str]:
        """Names that have a value when the loop begins, or may have one."""
        found: set[str] = set(self.targets)
        args = getattr(self.owner, "args", None)
        if args is not None:
            found.update(node.arg for node in ast.walk(args) if isinstance(node, ast.arg))
        pending: list[ast.AST] = list(getattr(self.owner, "body", ()))
        while pending:
            node = pending.pop()
            if node is self.node:
                continue
            if isinstance(node, (ast.If, ast.With, ast.Try, ast.Match, *LOOPS)):
                pending.extend(ast.iter_child_nodes(node))
            elif isinstance(node, (ast.ExceptHandler, ast.match_case)):
                pending.extend(node.body)
            elif isinstance(node, ast.stmt):
                found |= bound_in([node])
            else:
                found.update(n.id for n in ast.walk(node) if is_stored(n))
        return frozenset(found)

    def needs(self, first: int | None = None) -> tuple[str, ...]:
        """Names whose values at the beginning of the function are wanted."""
        own = self.bound | self.outer
        return tuple(name for name in self.cut(first).reads if name in own)

    def early(self, position: int) -> tuple[str, ...]:
        """Of those, the ones whose values at this position, before the function's first statement, are the same."""
        anew = bound_in(self.statements[max(0, position - 1) : self.first])
        if position == 0:
            anew |= set(self.targets)
        return tuple(name for name in self.needs() if name not in anew)

    def overwritten(self, first: int, line: int, name: str) -> bool:
        """Whether a statement of the function that begins with `first` may have bound a name before this line ran."""
        return overwritten(self.statements[first:], name, line)

    def _tape(self) -> int:
        for index, statement in enumerate(self.statements):
            if any(is_tape(node) for node in own_nodes(statement)):
                return index
        return len(self.statements) - 1

    @cached_property
    def steady(self) -> bool:
        """Whether each turn opens the tape, so that none goes by unnoticed: it is not under a condition, and nothing
        before it leaves the turn."""
        if any(leaves(s) or ends_turn(s) for s in self.statements[: self.tape]):
            return False
        node: ast.stmt | None = self.statements[self.tape]
        while isinstance(node, ast.With):
            if any(opens_tape(item) for item in node.items):
                return True
            before = [s for s in node.body if not any(is_tape(n) for n in own_nodes(s))]
            if any(leaves(s) or ends_turn(s) for s in before):
                return False
            node = next((s for s in node.body if s not in before), None)
        return False

    def _stretch(self) -> tuple[int, int]:
        """Where the function begins and ends: a batch is taken and counted, and the loop left, where it is called."""
        first, end = 0, len(self.statements)
        for index, statement in enumerate(self.statements):
            if index < self.tape and (leaves(statement) or takes(statement)):
                first = index + 1
            if index > self.tape and leaves(statement):
                end = index
                break
        while first < self.tape and counts(self.statements[first]):
            first += 1
        while end > self.tape + 1 and counts(self.statements[end - 1]):
            end -= 1
        return first, end

    @cached_property
    def refusal(self) -> str:
        """Why it cannot be a function, as the end of a sentence; '' when it can."""
        inside = self.statements[self.first : self.end]
        if isinstance(self.node, ast.AsyncFor):
            return "the loop is an `async for`, which a tf.function cannot hold"
        way_out = next((found for statement in inside if (found := leaves(statement))), None)
        if way_out is not None:
            return f"`{way_out[0]}` on line {way_out[1]} leaves the loop in the midst of it, which a function cannot do"
        edges = [self.node.lineno, *(s.lineno for s in self.statements)]
        if self.statements[0].lineno == self.node.lineno or len(set(edges)) < len(edges):
            return "several of its statements share a line"
        for node in (node for statement in inside for node in ast.walk(statement)):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "super":
                return "it calls super(), which works only in a method"
            names = (getattr(node, "id", ""), getattr(node, "attr", ""))
            if any(name.startswith("__") and not name.endswith("__") for name in names):
                return "it uses a private name of a class, which works only in a method"
        return ""

    def read_by_others(self, first: int) -> list[tuple[str, str, int]]:
        """(function, name, line) of functions that the body calls and that read what a loop binds as a global."""
        if not isinstance(self.owner, ast.Module):
            return []
        functions = {n.name: n for n in self.owner.body if isinstance(n, ast.FunctionDef)}
        used = [n for s in self.statements[first : self.end] for n in ast.walk(s) if isinstance(n, ast.Name)]
        pending = [(node.id, node.lineno) for node in used if node.id in functions]
        found, seen = [], set()
        while pending:
            function, line = pending.pop()
            if function not in seen:
                seen.add(function)
                free = free_names(functions[function])
                found += [(function, name, line) for name in free if name in self.bound | self.outer]
                pending += [(name, line) for name in free if name in functions]
        return found

    def lines(self, first: int) -> tuple[int, int]:
        """First and last line of the function that begins with a statement, comments before it included."""
        before = self.statements[first - 1].end_lineno if first else None
        begins = (before or self.head_end) + 1
        return begins, self.statements[self.end - 1].end_lineno or self.statements[self.end - 1].lineno

    @cached_property
    def head_end(self) -> int:
        """The last line of the loop's head."""
        node = self.node
        last = node.test.end_lineno if isinstance(node, ast.While) else node.iter.end_lineno
        end = self.statements[0].lineno
        source = linecache.getlines(self.path)
        for number in range(last or node.lineno, end):  # a closing bracket may stand on a line of its own
            text = source[number - 1].split("#")[0].rstrip() if number <= len(source) else ""
            if text.endswith(":"):
                return number
        return end - 1

    def continues(self, first: int) -> list[ast.Continue]:
        """The `continue`s of this loop in the function."""
        inside = self.statements[first : self.end]
        return [n for s in inside for n in own_nodes(s, through_loops=False) if isinstance(n, ast.Continue)]
