"""The backward pass of a batch as rows: each gradient call, and below it the ops it took backward."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from tapeinspect.analysis.flow import Pass, Unreached
from tapeinspect.trace.records import BackwardCall, Flow, GradientCall
from tapeinspect.ui.format import basename, count, number, took, visible
from tapeinspect.ui.palette import Palette
from tapeinspect.ui.widgets.cells import Line, Piece, fit

SUM = "Σ"
_NORM = 9
"""Columns of a gradient's norm."""


@dataclass(frozen=True, slots=True)
class CallHead:
    """A gradient call."""

    call: GradientCall
    taken: int
    """Ops it took backward."""
    graph: int | None = None
    """Ops of the graph that it ran as instead."""


@dataclass(frozen=True, slots=True)
class TakenBack:
    """An op taken backward, `depth` gradient functions inside others."""

    depth: int
    call: BackwardCall


BackwardItem: TypeAlias = CallHead | TakenBack


class Reach:
    """What the gradient calls of a batch did for each forward op; an op counts as reached when one of them did."""

    def __init__(self, passes: Sequence[Pass]) -> None:
        self.passes = passes
        self._reached: dict[int, BackwardCall] = {}
        self._unreached: dict[int, Unreached] = {}
        for one in passes:
            for op, backward in one.reached.items():
                self._reached.setdefault(op, backward)
            for op, why in one.unreached.items():
                known = self._unreached.get(op)
                if known is None or known.cause == "unused":
                    self._unreached[op] = why

    def backward(self, op: int) -> BackwardCall | None:
        """The first backward call of a forward op."""
        return self._reached.get(op)

    def why_not(self, op: int) -> Unreached | None:
        """Why no gradient reached a forward op; None when one did, and when none was asked for."""
        return None if op in self._reached else self._unreached.get(op)


class BackwardRows:
    """The items as lines."""

    def __init__(self, reach: Reach) -> None:
        self.items = _items(reach.passes)
        self._index = {
            item.call.id: index for index, item in enumerate(self.items) if isinstance(item, TakenBack)
        }
        ops = [item.call.op or 0 for item in self.items if isinstance(item, TakenBack)]
        self._id_width = len(str(max(ops, default=1)))
        outgoing = max((len(i.call.outgoing) for i in self.items if isinstance(i, TakenBack)), default=1)
        self._outgoing = min(2, max(1, outgoing))
        """Gradients that went out which there is room for."""

    def __len__(self) -> int:
        return len(self.items)

    def index_of(self, backward: int) -> int | None:
        """The row of a backward call."""
        return self._index.get(backward)

    def line(self, index: int, width: int, palette: Palette) -> Line:
        item = self.items[index]
        if isinstance(item, CallHead):
            return _head(item, palette)
        return self._taken(item, width, palette)

    def _taken(self, item: TakenBack, width: int, palette: Palette) -> Line:
        call = item.call
        wide = width >= 60
        indent = "  " * item.depth
        op = str(call.op) if call.op is not None else "–"
        figures = _NORM + self._outgoing * (_NORM + 1) + (9 if wide else 0)
        name = max(8, width - self._id_width - figures - 7 - len(indent))
        name = min(name, 30)
        line: Line = [
            (f" {indent}◂ ", palette.second),
            (fit(op, self._id_width, right=True) + " ", palette.faint),
            (fit(visible(call.type), name), palette.text if call.op is not None else palette.muted),
            (SUM if call.summed else " ", palette.accent),
            norm_piece(_largest(call.incoming), palette, _NORM),
        ]
        if wide:
            line.append((fit(took(call.took_ns), 9, right=True), palette.muted))
        line.append((" →", palette.faint))
        for flow in call.outgoing:
            line.append((" ", None))
            line.append(norm_piece(flow, palette, 0))
        return line


def norm_piece(flow: Flow | None, palette: Palette, width: int) -> Piece:
    """A gradient in one figure: its norm, `NaN`, `–` for none, `?` when it was not measured."""
    if flow is None:
        text, style = "–", palette.faint
    elif flow.health is None:
        text, style = "?", palette.faint
    elif flow.health.nan or flow.health.inf:
        text, style = ("NaN" if flow.health.nan else "Inf"), palette.bad
    else:
        text, style = number(flow.health.norm), palette.number
        if flow.health.norm == 0:
            style = palette.warn
    return (fit(text, width, right=True) if width else text), style


def _largest(flows: Sequence[Flow | None]) -> Flow | None:
    """The gradient that stands for all that came in: a bad one, else the one with the largest norm."""
    known = [flow for flow in flows if flow is not None]

    def weight(flow: Flow) -> float:
        if flow.health is None:
            return -1.0
        return float("inf") if flow.health.norm is None else flow.health.norm

    return max(known, key=weight, default=None)


def incoming(call: BackwardCall) -> Flow | None:
    """The gradient that came in."""
    return _largest(call.incoming)


def _head(item: CallHead, palette: Palette) -> Line:
    call = item.call
    place = f"{basename(call.path)}:{call.line}" if call.path else ""
    taken = f"{count(item.taken, 'op')} taken backward" if item.taken else "nothing seen of its way back"
    if item.graph is not None:
        taken = f"as one graph of {count(item.graph, 'op')}"
    return [
        ("◂ ", palette.second),
        (f"tape {call.tape}.{call.method}", palette.strong),
        (f"  {place}  ", palette.muted),
        (taken, palette.second if item.taken else palette.muted),
    ]


def _items(passes: Sequence[Pass]) -> list[BackwardItem]:
    items: list[BackwardItem] = []
    for one in passes:
        items.append(CallHead(one.call, len(one.calls), one.graph))
        depths: dict[int, int] = {}
        for call in one.calls:
            depths[call.id] = 0 if call.parent is None else depths.get(call.parent, 0) + 1
            items.append(TakenBack(depths[call.id], call))
    return items
