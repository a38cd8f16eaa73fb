"""The tapes of a batch in the order of what happened: opened, watched, recorded, closed, asked for gradients."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from tapeinspect.trace.records import Gradient, GradientCall, Opaque, OpFilter, Tape, TapeEvent
from tapeinspect.ui.format import visible

if TYPE_CHECKING:
    from tapeinspect.trace.reader import TraceReader


@dataclass(frozen=True, slots=True)
class TapeItem:
    """A tape is opened."""

    depth: int
    tape: Tape
    recorded: int
    """Ops that it recorded."""


@dataclass(frozen=True, slots=True)
class EventItem:
    """Something happens to a tape."""

    depth: int
    event: TapeEvent


@dataclass(frozen=True, slots=True)
class WatchItem:
    """A tape begins to watch variables or tensors."""

    depth: int
    events: tuple[TapeEvent, ...]


@dataclass(frozen=True, slots=True)
class OpItem:
    """An op runs while a tape is open."""

    depth: int
    op: int


@dataclass(frozen=True, slots=True)
class CallItem:
    """A gradient is asked for."""

    depth: int
    call: GradientCall
    backward: int
    """Ops of the backward pass."""
    target: str
    """The op that made the target."""


@dataclass(frozen=True, slots=True)
class SourceItem:
    """One source of a gradient call, with its gradient."""

    depth: int
    gradient: Gradient


@dataclass(frozen=True, slots=True)
class OpaqueItem:
    """Code that ran where no callback reaches."""

    depth: int
    opaque: Opaque


Item: TypeAlias = TapeItem | EventItem | WatchItem | OpItem | CallItem | SourceItem | OpaqueItem

_WHOLE_RUN = 200
"""Tapes told of when there are no batches to choose from."""


def story(reader: TraceReader, step: int | None) -> list[Item]:
    """What happened to the tapes of a batch (None: of the run, its first tapes), in order."""
    tapes = reader.tapes(step)[:_WHOLE_RUN]
    calls = reader.gradient_calls(step)[:_WHOLE_RUN]
    if not tapes and not calls:
        return []
    gradients: dict[int, list[Gradient]] = {}
    for gradient in reader.gradients(step):
        gradients.setdefault(gradient.call, []).append(gradient)
    recorded = _recorded(reader, tapes)
    happened = _happened(tapes, calls, recorded, reader, step)
    items: list[Item] = []
    depth = 0
    for _, _, _, item in happened:
        if isinstance(item, EventItem) and item.event.event == "exit":
            depth = max(0, depth - 1)
            items.append(EventItem(depth, item.event))
        elif isinstance(item, TapeItem):
            items.append(TapeItem(depth, item.tape, item.recorded))
            depth += 1
        elif isinstance(item, EventItem):
            _add_event(items, item.event, depth)
        elif isinstance(item, CallItem):
            items.append(CallItem(depth, item.call, item.backward, item.target))
            items += [SourceItem(depth, gradient) for gradient in gradients.get(item.call.id, ())]
        elif isinstance(item, OpItem):
            items.append(OpItem(depth, item.op))
    return [*items, *_opaque(reader, step)]


def _opaque(reader: TraceReader, step: int | None) -> list[OpaqueItem]:
    """What ran unseen: in the batch, or behind its data."""
    found = reader.opaques()
    if step is not None:
        first, last = reader.step(step).first_op, reader.step(step).last_op or reader.counts.ops
        found = [o for o in found if o.kind == "dataset" or (o.op is not None and first <= o.op <= last)]
    return [OpaqueItem(0, opaque) for opaque in found[:50]]


def _add_event(items: list[Item], event: TapeEvent, depth: int) -> None:
    last = items[-1] if items else None
    if event.event != "watch":
        items.append(EventItem(depth, event))
    elif isinstance(last, WatchItem) and len(last.events) < 6:
        items[-1] = WatchItem(depth, (*last.events, event))
    else:
        items.append(WatchItem(depth, (event,)))


def _recorded(reader: TraceReader, tapes: list[Tape]) -> dict[int, int]:
    """How many ops each tape recorded."""
    counts: dict[int, int] = {tape.id: 0 for tape in tapes}
    spans = [(t.first_op, t.last_op or reader.counts.ops) for t in tapes if t.first_op is not None]
    if spans:
        first, last = min(first for first, _ in spans), max(last for _, last in spans)
        for edge in reader.edges(first, last):
            for tape in edge.tapes:
                if tape in counts:
                    counts[tape] += 1
    return counts


def _happened(
    tapes: list[Tape],
    calls: list[GradientCall],
    recorded: dict[int, int],
    reader: TraceReader,
    step: int | None,
) -> list[tuple[int, int, int, Item]]:
    """Everything with the op behind which it belongs; the ops of backward passes are folded into their call."""
    result: list[tuple[int, int, int, Item]] = []
    for tape in tapes:
        entered = next((event for event in tape.events if event.event == "enter"), None)
        at = entered.op if entered is not None else (tape.first_op or 1) - 1
        result.append((at, 1, entered.id if entered is not None else 0, TapeItem(0, tape, recorded[tape.id])))
        result += [(e.op, 1, e.id, EventItem(0, e)) for e in tape.events if e is not entered]
    backward: set[int] = set()
    end = reader.counts.ops
    for call in calls:
        span = range(call.first_op or 0, (call.last_op or call.first_op or -1) + 1)
        backward.update(span)
        at = call.first_op - 1 if call.first_op is not None else end
        result.append(
            (at, 2, call.id, CallItem(0, call, len(span) if call.first_op else 0, _target(reader, call)))
        )
    spans = [(t.first_op, t.last_op or end) for t in tapes if t.first_op is not None]
    inside = sorted({op for first, last in spans for op in range(first, last + 1)} - backward)
    ids = set(reader.op_ids(OpFilter(step=step))) if step is not None else None
    result += [(op, 0, 0, OpItem(0, op)) for op in inside if ids is None or op in ids]
    result.sort(key=lambda item: item[:3])
    return result


def _target(reader: TraceReader, call: GradientCall) -> str:
    made = [reader.producer(tensor) for tensor in call.targets[:1]]
    if not made or made[0] is None:
        return ""
    return f"{visible(reader.rows([made[0]])[0].type)} {made[0]}"
