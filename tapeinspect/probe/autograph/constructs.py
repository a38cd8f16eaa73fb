"""What each construct of the user's source became when it was traced, in words."""

from __future__ import annotations

import ast
import json
import re
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any, Final

from tapeinspect.probe.autograph import placing
from tapeinspect.probe.autograph.events import Event
from tapeinspect.probe.autograph.lambdas import Span, uncalled
from tapeinspect.probe.autograph.placing import Node, Place
from tapeinspect.probe.autograph.source import Construct
from tapeinspect.probe.autograph.watch import Seen

Line = tuple[str, int]
_CHOICE: Final = ("If", "StatelessIf", "Case", "StatelessCase")
_LOOP: Final = ("While", "StatelessWhile", "ReduceDataset", "ScanDataset", "MapDataset")
_COMPARED: Final[dict[type, tuple[str, ...]]] = {
    ast.Lt: ("Less",),
    ast.LtE: ("LessEqual",),
    ast.Gt: ("Greater",),
    ast.GtE: ("GreaterEqual",),
    ast.Eq: ("Equal",),
    ast.NotEq: ("NotEqual",),
}
_LEFT: Final = "is left to Python by AutoGraph: it ran while tracing, and what it gave then is in the graph"


@dataclass(frozen=True, slots=True)
class Facts:
    """What was seen of a trace, by line of the user's files."""

    events: dict[tuple[str, int, str], list[Event]]
    """By file, line and operator."""
    placed: dict[tuple[str, Node], list[Event]]
    """Those that could be told apart, by file and construct."""
    told: set[Line]
    """Where statements begin of which some could be told apart."""
    unplaced: set[tuple[str, int, str]]
    """File, line and operator of those that could not."""
    compared: dict[tuple[str, Node], list[bool]]
    """Whether comparisons, where an operator was given their values, gave tensors."""
    ops: dict[Line, Counter[str]]
    """Types of the graph ops whose innermost user frame is a line."""
    runs: Counter[Line]
    """How often each line ran while tracing."""
    traced: bool
    """False: nothing was run."""
    failed: Line | None = None
    """Where the trace failed."""
    uncalled: dict[str, list[Span]] = field(default_factory=dict)
    """By file, lambdas that were not called."""


@dataclass(slots=True)
class Became:
    """What a construct became."""

    op: str
    text: str
    count: int = 0
    detail: dict[str, Any] = field(default_factory=dict)

    def row(self, id: int, run: int, function: int, construct: Construct) -> tuple[Any, ...]:
        """The row of the table `ag_construct`."""
        c = construct
        where = (c.line, c.end_line, c.col, c.end_col)
        return (id, run, function, *where, c.what, self.op, self.count, self.text, json.dumps(self.detail))


def facts_of(seen: Seen, ops: dict[Line, Counter[str]], traced: bool, failed: Line | None = None) -> Facts:
    """Facts by line of the user's files."""
    events: defaultdict[tuple[str, int, str], list[Event]] = defaultdict(list)
    placed: defaultdict[tuple[str, Node], list[Event]] = defaultdict(list)
    compared: defaultdict[tuple[str, Node], list[bool]] = defaultdict(list)
    unplaced: set[tuple[str, int, str]] = set()
    told: set[Line] = set()
    for event in seen.events:
        place = seen.original(event.path, event.line)
        if place is None:
            continue
        events[place[0], place[1], event.operator].append(event)
        found = _placed(event, place)
        if found is None:
            unplaced.add((*place, event.operator))
            continue
        placed[place[0], found[0]].append(event)
        told.add(place)
        for node, is_tensor in zip(found[1], event.operands, strict=False):
            if node is not None:
                compared[place[0], node].append(is_tensor)
    runs: Counter[Line] = Counter()
    for (path, line), count in seen.lines.items():
        place = seen.original(path, line)
        if place is not None:
            runs[place] = max(runs[place], count)
    return Facts(
        dict(events), dict(placed), told, unplaced, dict(compared), ops, runs, traced, failed, uncalled(seen)
    )


def _placed(event: Event, place: Line) -> Place | None:
    at = placing.column(event.code, event.instruction) if event.code is not None else None
    return placing.place_of(event.operator, (event.path, event.line, at), place) if at is not None else None


def _events(construct: Construct, path: str, facts: Facts) -> list[Event] | None:
    """What was seen of a construct; None when it is known not to have run."""
    place, node = (path, construct.line), _node(construct)
    shared = facts.events.get((*place, construct.what), [])
    if construct.what == "comparison" and (path, node) not in facts.compared:
        asker = placing.given_to(*place, node)
        told = asker is not None and (*place, asker) in facts.events and (*place, asker) not in facts.unplaced
        return None if told else shared
    if (*place, construct.what) in facts.unplaced or construct.what not in placing.TOLD:
        return shared
    own = facts.placed.get((path, node))
    if own is not None:
        return own
    return None if place in facts.told and placing.can_be_told(*place, node) else []


def _node(construct: Construct) -> Node:
    return construct.what, construct.line, getattr(construct.node, "col_offset", 0)


def _uncalled(construct: Construct, path: str, facts: Facts) -> Became | None:
    """What is said of a lambda that nobody called while tracing, and of what stands in one; None for the rest."""
    at = construct.line, getattr(construct.node, "col_offset", 0)
    for first, last in facts.uncalled.get(path, ()):
        if first == at and construct.what == "lambda":
            return Became(
                "not_run", "Converted together with the function around it; it was not called while tracing."
            )
        if first < at < last:
            return Became("not_run", "The lambda it stands in was not called while tracing.")
    return None


def became(construct: Construct, path: str, facts: Facts) -> Became:
    """What a construct became."""
    if not facts.traced:
        return Became("not_run", "It was not traced, so it is not known what it becomes.")
    place = (path, construct.line)
    if facts.failed == place:
        return Became("not_run", "The trace failed here.")
    if (nothing := _uncalled(construct, path, facts)) is not None:
        return nothing
    events = _events(construct, path, facts)
    ran = events is not None and any(
        facts.runs[path, line] for line in range(construct.line, (construct.end_line or construct.line) + 1)
    )
    if not events and not ran:
        return Became("not_run", "It did not run while tracing, so it is not in the graph.")
    told = (path, _node(construct)) in facts.placed
    events = events or []
    types = facts.ops.get(place, Counter())
    count = len(events) if told else max(len(events), facts.runs[place])
    match construct.what:
        case "if" | "conditional":
            return _choice(construct, events, types, count)
        case "while" | "for":
            return _loop(construct, events, types, count)
        case "and" | "or" | "not":
            return _logical(construct, events, count)
        case "comparison":
            return _comparison(construct, types, count, facts.compared.get((path, _node(construct)), []))
        case "break" | "continue" | "return":
            return _jump(construct, path, facts, count)
        case "print":
            return Became("python", f"print {_LEFT}. tf.print prints each time the graph runs.", count)
        case "append":
            return _append(events, types, count)
        case "assert":
            return _assert(events, count)
        case "lambda":
            return Became("python", "Converted together with the function around it.", count)
    return Became("python", f"A comprehension {_LEFT}.", count)


def _pick(types: Counter[str], wanted: tuple[str, ...]) -> str:
    return next((name for name in wanted if types[name]), wanted[0])


def _variables(events: list[Event]) -> dict[str, Any]:
    known: dict[str, dict[str, str]] = {}
    for event in events:
        for name, text, invariant in event.variables:
            known[name] = {"name": name, "text": text, **({"invariant": invariant} if invariant else {})}
    return {"variables": list(known.values())} if known else {}


_OWN: Final = {
    "do_return": "whether the function has returned",
    "retval_": "what it returns",
    "break_": "whether the loop has ended",
    "continue_": "whether the turn has ended",
}
"""Variables that AutoGraph makes, in words."""


def _named(detail: dict[str, Any]) -> str:
    """The variables of a loop or branch in words, AutoGraph's own last."""
    names = [str(variable["name"]) for variable in detail.get("variables", [])]
    own = {
        name: text for name in names for stem, text in _OWN.items() if re.fullmatch(rf"{stem}(_\d+)?", name)
    }
    said = [name for name in names if name not in own] + list(dict.fromkeys(own.values()))
    return f"{', '.join(said[:-1])} and {said[-1]}" if len(said) > 1 else "".join(said)


def _branches(events: list[Event]) -> Counter[str]:
    return Counter(event.branch for event in events if event.branch)


def _choice(construct: Construct, events: list[Event], types: Counter[str], count: int) -> Became:
    graph = [event for event in events if event.graph]
    branches = _branches(events)
    detail = _variables(graph)
    if branches:
        detail["branches"] = [[name, branches[name]] for name in ("if", "else") if branches[name]]
    if graph:
        names = _named(detail)
        carried = f" It decides on {names}." if names else ""
        op = _pick(types, _CHOICE)
        return Became(
            op, f"In the graph ({op}): both branches are traced, one runs.{carried}", len(events), detail
        )
    if not events:
        return Became("python", "Decided by Python while tracing: it was not converted.", count, detail)
    if len(branches) == 1:
        taken = (
            "its branch" if branches["if"] else "the other branch" if _has_else(construct) else "no branch"
        )
        text = f"Decided by Python while tracing: only {taken} is in the graph."
        if taken == "no branch":
            text = "Decided by Python while tracing: its branch was not taken and is not in the graph."
    else:
        taken = "once" if branches["if"] == 1 else f"{branches['if']} times"
        text = f"Decided by Python while tracing: of {len(events)} times it was true {taken}."
    return Became("python", text, len(events), detail)


def _has_else(construct: Construct) -> bool:
    return bool(getattr(construct.node, "orelse", None))


def _loop(construct: Construct, events: list[Event], types: Counter[str], count: int) -> Became:
    graph = [event for event in events if event.graph]
    if graph:
        op = _pick(types, _LOOP)
        if "dataset" in graph[0].over.lower() and types["ReduceDataset"]:
            op = "ReduceDataset"
        detail = _variables(graph)
        names = _named(detail)
        over = f" over {graph[0].over}" if graph[0].over else ""
        carried = f" It carries {names} from turn to turn." if names else ""
        what = "Dataset.reduce" if op == "ReduceDataset" else "tf.while_loop"
        return Became(
            op, f"In the graph as {what}{over} ({op}): its body is traced once.{carried}", len(events), detail
        )
    if not events:
        return Became("python", "Ran in Python while tracing: it was not converted.", count)
    turns = max(event.turns for event in events)
    over = f" over a {events[0].over}" if events[0].over else ""
    often = f", each of {len(events)} times" if len(events) > 1 else ""
    said = "once" if turns == 1 else f"{turns} times"
    if turns == 0:
        return Became("python", f"A Python loop{over} that had no turn while tracing.", 0)
    text = f"A Python loop{over}: its body is in the graph {said}{often}, once for each turn."
    return Became("python", text, turns)


def _logical(construct: Construct, events: list[Event], count: int) -> Became:
    op = {"and": "LogicalAnd", "or": "LogicalOr", "not": "LogicalNot"}[construct.what]
    if any(event.graph for event in events):
        lazy = "" if construct.what == "not" else " The right side is in a branch of its own (tf.cond)."
        return Became(op, f"In the graph ({op}).{lazy}", len(events))
    return Became(
        "python", f"`{construct.what}` of Python values, decided while tracing.", max(count, len(events))
    )


def _comparison(construct: Construct, types: Counter[str], count: int, seen: list[bool]) -> Became:
    """`seen`: whether it gave tensors, where an operator was given its value."""
    operators = getattr(construct.node, "ops", [])
    found = [name for operator in operators for name in _COMPARED.get(type(operator), ()) if types[name]]
    count = len(seen) or count
    if not found or (seen and not any(seen)):
        return Became("python", "Compared by Python while tracing.", count)
    if len(operators) > 1:
        text = (
            f"In the graph ({', '.join(found)}), but Python's `and` joins the parts of a chained comparison."
        )
        return Became(found[0], text, count)
    return Became(found[0], f"In the graph ({found[0]}).", count)


def _jump(construct: Construct, path: str, facts: Facts, count: int) -> Became:
    """`break`, `continue`, `return`: what they leave decides what they become."""
    leaves = ("while", "for") if construct.what in ("break", "continue") else ("if", "while", "for")
    op = ""
    for what, line in reversed(construct.loops):
        graph = any(event.graph for event in facts.events.get((path, line, what), []))
        if graph:
            types = facts.ops.get((path, line), Counter())
            op = op or _pick(types, _CHOICE if what == "if" else _LOOP)
        if what in leaves and construct.what != "return":
            break
    if op:
        text = f"In the graph: a flag says that it was reached, and what follows is skipped by it ({op})."
        return Became(op, text, count)
    said = "Ends the function" if construct.what == "return" else f"A {construct.what}"
    return Became("python", f"{said} in Python, while tracing.", count)


def _append(events: list[Event], types: Counter[str], count: int) -> Became:
    if any(event.graph for event in events):
        return Became("TensorListPushBack", "In the graph: the list is a tensor list.", len(events))
    if any(name.startswith("TensorArray") for name in types):
        return Became("TensorArrayWriteV3", "In the graph: the list is a TensorArray.", count)
    return Became("python", "Appended by Python while tracing, once for each trace.", count)


def _assert(events: list[Event], count: int) -> Became:
    if any(event.graph for event in events):
        return Became("Assert", "In the graph (Assert): it is checked each time the graph runs.", len(events))
    return Became("python", f"`assert` {_LEFT}. tf.debugging.Assert checks each time.", count)
