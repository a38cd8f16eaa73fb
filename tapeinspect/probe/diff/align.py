"""The ops of two runs side by side: what is in both, what only in one. Knows nothing of TensorFlow.

Ops are grouped by the user's line and aligned in order. What one side alone has is then looked for on the other side's
other lines (moved), and what tracing turns into constants is told apart from what is really missing (folded).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from tapeinspect.trace import bits

Relation = Literal["equal", "eager", "traced", "moved", "folded"]

PLUMBING: Final[dict[str, str]] = {
    "Const": "a constant of the graph",
    "_EagerConst": "a Python value made a tensor; a constant in the graph",
    "Placeholder": "an argument of the graph",
    "PlaceholderWithDefault": "an argument of the graph",
    "Identity": "passes a tensor on",
    "IdentityN": "passes tensors on",
    "NoOp": "orders other ops",
    "Snapshot": "passes a tensor on",
    "PreventGradient": "passes a tensor on",
    "ReadVariableOp": "a read; a graph may read once for several uses",
    "VariableShape": "shape arithmetic",
}
"""Ops that move or hold values and compute none, with the words for it."""
_KNOWN_WHILE_TRACING = {
    "ZerosLike": "zeros of a known shape; a constant in the graph",
    "OnesLike": "ones of a known shape; a constant in the graph",
}
_CONTROL = {
    "If": "runs the branches of a tensor `if`",
    "StatelessIf": "runs the branches of a tensor `if`",
    "While": "runs a tensor loop",
    "StatelessWhile": "runs a tensor loop",
    "Case": "runs one of several branches",
    "LoopCond": "decides whether a tensor loop goes on",
    "PartitionedCall": "calls a function of the graph",
    "StatefulPartitionedCall": "calls a function of the graph",
    "EmptyTensorList": "keeps what a loop's backward pass needs",
    "TensorListReserve": "keeps what a loop's backward pass needs",
    "TensorListPushBack": "keeps what a loop's backward pass needs",
    "TensorListPopBack": "takes what the loop has kept for its backward pass",
    "TensorListElementShape": "keeps what a loop's backward pass needs",
    "TensorListSetItem": "writes into a tensor array",
    "TensorListGetItem": "reads from a tensor array",
    "TensorListStack": "reads from a tensor array",
    "TensorListFromTensor": "writes into a tensor array",
    "OptionalNone": "keeps what a branch's backward pass needs",
    "OptionalFromValue": "keeps what a branch's backward pass needs",
    "OptionalGetValue": "takes what a branch has kept for its backward pass",
}
_GIVES_UP: Final = 800
"""Differences on one line beyond which ops are paired by type alone."""


@dataclass(slots=True, eq=False)
class RanOp:
    """One op that ran once."""

    type: str
    path: str | None
    line: int | None
    """The innermost line of the user's."""
    library: tuple[str, int] | None = None
    """The innermost line of a library that is not TensorFlow's."""
    dtype: str | None = None
    shape: tuple[int, ...] | None = None
    values: tuple[Any, ...] | None = None
    """Of its outputs, None when they were not kept."""
    digest: bytes | None = None
    """Of the values' bits and types, not of their shapes; of values that are kept only once it is asked for."""
    shapes_only: bool = False
    """What it computes follows from shapes and constants."""
    given: tuple[tuple[RanOp, int], ...] = ()
    """Where its inputs come from, as far as that is known: an op and the number of its output."""
    in_loop: bool = False
    """It stands in the body or the condition of a graph's loop."""
    turn: int = 0
    """How often the same op of the graph, or the same place of the code, had run before."""

    @property
    def has_values(self) -> bool:
        """Whether what it gave is known."""
        return self.values is not None or self.digest is not None

    def bits(self) -> bytes | None:
        """The digest; None where nothing is known of its values."""
        if self.digest is None and self.values is not None:
            self.digest = bits.digest(self.values)
        return self.digest

    def passes(self) -> bool:
        """Whether its value is that of one of its inputs."""
        return any(self._has_value_of(op, number) for op, number in self.given)

    def _has_value_of(self, other: RanOp, number: int) -> bool:
        if self.values is not None and other.values is not None:
            return len(self.values) == 1 and bits.same(self.values[0], other.values[number])
        known = self.bits()
        return (
            known is not None and (other.values is None or len(other.values) == 1) and known == other.bits()
        )


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """An op of one run beside that of the other."""

    relation: Relation
    eager: RanOp | None
    traced: RanOp | None
    why: str = ""

    @property
    def op(self) -> RanOp:
        """The one that is there; the eager one of two."""
        found = self.eager or self.traced
        assert found is not None
        return found


def align(eager: Sequence[RanOp], traced: Sequence[RanOp]) -> list[Pair]:
    """Pairs in the order of the eager run; what only the graph has stands behind its neighbour on the same line."""
    lines: dict[Hashable, tuple[list[int], list[int]]] = defaultdict(lambda: ([], []))
    for side, ops in enumerate((eager, traced)):
        for index, op in enumerate(ops):
            lines[op.path, op.line][side].append(index)
    partner: dict[int, int] = {}
    for mine, theirs in lines.values():
        _match_line(eager, traced, mine, theirs, partner)
    moved = _moved(eager, traced, partner)
    return _in_order(eager, traced, partner, moved)


def _match_line(
    eager: Sequence[RanOp],
    traced: Sequence[RanOp],
    mine: list[int],
    theirs: list[int],
    partner: dict[int, int],
) -> None:
    """Pair the ops of one line: by type and shape first, then by type, then by what they gave."""
    keys: tuple[Callable[[RanOp], Hashable], ...] = (
        lambda op: (op.type, op.dtype, op.shape),
        lambda op: op.type,
        lambda op: (op.bits(), op.shape) if op.has_values and op.type not in PLUMBING else object(),
    )
    for key in keys:
        found = match([key(eager[i]) for i in mine], [key(traced[j]) for j in theirs])
        partner.update((mine[i], theirs[j]) for i, j in found)
        used = {theirs[j] for _, j in found}
        mine = [i for i in mine if i not in partner]
        theirs = [j for j in theirs if j not in used]


def match(a: Sequence[Hashable], b: Sequence[Hashable]) -> list[tuple[int, int]]:
    """Indices of a longest common subsequence (Myers' algorithm)."""
    start = 0
    while start < len(a) and start < len(b) and a[start] == b[start]:
        start += 1
    end = 0
    while end < min(len(a), len(b)) - start and a[-1 - end] == b[-1 - end]:
        end += 1
    head = [(i, i) for i in range(start)]
    tail = [(len(a) - end + i, len(b) - end + i) for i in range(end)]
    middle = _myers(a[start : len(a) - end], b[start : len(b) - end])
    return head + [(i + start, j + start) for i, j in middle] + tail


def _myers(a: Sequence[Hashable], b: Sequence[Hashable]) -> list[tuple[int, int]]:
    n, m = len(a), len(b)
    if not n or not m:
        return []
    reach = {1: 0}
    history: list[dict[int, int]] = []
    for d in range(n + m + 1):
        if d > _GIVES_UP:
            return _by_count(a, b)
        history.append(dict(reach))
        for k in range(-d, d + 1, 2):
            down = k == -d or (k != d and reach[k - 1] < reach[k + 1])
            x = reach[k + 1] if down else reach[k - 1] + 1
            while x < n and x - k < m and a[x] == b[x - k]:
                x += 1
            reach[k] = x
            if x >= n and x - k >= m:
                return _way_back(history, n, m)
    return []


def _way_back(history: list[dict[int, int]], x: int, y: int) -> list[tuple[int, int]]:
    found = []
    for d in range(len(history) - 1, -1, -1):
        reach, k = history[d], x - y
        down = k == -d or (k != d and reach.get(k - 1, -1) < reach.get(k + 1, -1))
        before = k + 1 if down else k - 1
        start = reach[before] if d else 0
        stop = start if down or not d else start + 1
        while x > stop and y > 0:
            x, y = x - 1, y - 1
            found.append((x, y))
        if d:
            x, y = start, start - before
    return found[::-1]


def _by_count(a: Sequence[Hashable], b: Sequence[Hashable]) -> list[tuple[int, int]]:
    """The first of a kind with the first, the second with the second: for lines that differ beyond alignment."""
    places: dict[Hashable, list[int]] = defaultdict(list)
    for j, kind in enumerate(b):
        places[kind].append(j)
    taken: dict[Hashable, int] = defaultdict(int)
    found = []
    for i, kind in enumerate(a):
        if taken[kind] < len(places[kind]):
            found.append((i, places[kind][taken[kind]]))
            taken[kind] += 1
    return found


def _moved(eager: Sequence[RanOp], traced: Sequence[RanOp], partner: dict[int, int]) -> dict[int, int]:
    """Ops that the other run did on another line: the same type, the same bits."""
    used = set(partner.values())
    free: dict[Hashable, list[int]] = defaultdict(list)
    for j, op in enumerate(traced):
        if j not in used and op.has_values and op.type not in PLUMBING and not op.shapes_only:
            free[op.type, op.shape, op.bits()].append(j)
    found = {}
    for i, op in enumerate(eager):
        if i in partner or not op.has_values or not free:
            continue
        if same := free.get((op.type, op.shape, op.bits())):
            found[i] = same.pop(0)
    return found


def _in_order(
    eager: Sequence[RanOp], traced: Sequence[RanOp], partner: dict[int, int], moved: dict[int, int]
) -> list[Pair]:
    taken = set(partner.values()) | set(moved.values())
    behind: dict[int, list[int]] = defaultdict(list)
    """What only the graph has, by the traced op it follows."""
    last = -1
    for j in range(len(traced)):
        if j in taken:
            last = j
        else:
            behind[last].append(j)
    pairs = [_alone(traced[j], "traced") for j in behind.pop(-1, [])]
    for i, op in enumerate(eager):
        j = partner.get(i, moved.get(i, -1))
        if j < 0:
            pairs.append(_alone(op, "eager"))
            continue
        other = traced[j]
        if i in moved:
            pairs.append(Pair("moved", op, other, f"the graph has it on line {other.line}"))
        else:
            why = "" if op.type == other.type else f"the graph computes it by {other.type}"
            pairs.append(Pair("equal", op, other, why))
        pairs += [_alone(traced[k], "traced") for k in behind.pop(j, [])]
    return pairs


def _alone(op: RanOp, side: Literal["eager", "traced"]) -> Pair:
    why = PLUMBING.get(op.type)
    if why is None and op.shapes_only:
        why = "follows from shapes and constants, which are known while tracing"
    if why is None and op.passes():
        why = "changes nothing here"
    if why is None and side == "eager":
        why = _KNOWN_WHILE_TRACING.get(op.type)
    if why is None and side == "traced":
        why = _CONTROL.get(op.type)
        if why is None and op.in_loop and op.shape == () and op.dtype in ("int32", "int64", "bool"):
            why = "counts the turns of a tensor loop"
    eager, traced = (op, None) if side == "eager" else (None, op)
    return Pair("folded", eager, traced, why) if why else Pair(side, eager, traced)
