"""The traces of a run's `tf.function`s as text: when each was made, why, and what would have saved it."""

from __future__ import annotations

import os
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from tapeinspect.trace.records import FunctionTrace

_ROWS: Final = 40
"""Traces that are listed: the first ones, for what happens later repeats them."""


@dataclass(frozen=True, slots=True)
class Listed:
    """What is told of the traces of a run."""

    head: str
    entries: tuple[Entry, ...]
    rest: str
    """What is not listed, in words; empty when all are."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One trace in words."""

    facts: tuple[str, ...]
    """The function with its place, which of its traces this is, its time, its size and who called it."""
    why: str = ""
    """Of a further trace: what made it necessary."""
    advice: str = ""
    """What would have saved it, and how that was tried."""
    arguments: tuple[tuple[str, str], ...] = ()


def listed(traces: Sequence[FunctionTrace]) -> Listed | None:
    """The traces of the user's functions; None when there is none."""
    own = [trace for trace in traces if trace.kind != "library"]
    if not own:
        return None
    again = sum(trace.retrace for trace in own)
    head = (
        f"Traces: {len(own):,} of {_many(len({trace.object for trace in own}), 'tf.function')}, "
        f"{_many(again, 'retrace') if again else 'none of them a retrace'}"
    )
    left = own[_ROWS:]
    rest = f"and {len(left):,} more, {_many(sum(t.retrace for t in left), 'retrace')}" if left else ""
    return Listed(head, tuple(map(_entry, own[:_ROWS])), rest)


def lines(traces: Sequence[FunctionTrace], width: int) -> Iterator[str]:
    """A head and a paragraph for each trace of the user's functions; nothing when there is none."""
    found = listed(traces)
    if found is None:
        return
    yield found.head
    for entry in found.entries:
        yield from _wrapped(" · ".join(entry.facts), width, "  ")
        if entry.why:
            yield from _wrapped(entry.why, width, "    ")
        if entry.advice:
            yield from _wrapped(f"→ {entry.advice}", width, "    ")
    if found.rest:
        yield f"  {found.rest}"


def _entry(trace: FunctionTrace) -> Entry:
    # what tf.data wraps a function in is no place of the user's
    place = "" if trace.kind == "dataset" else f" ({_place(trace.path, trace.line)})"
    facts = [f"{trace.function}{place}", f"trace {trace.number}"]
    if trace.seconds is not None:
        facts.append(f"{trace.seconds:.2f} s")
    facts.append(_many(trace.nodes, "op") if trace.nodes else "failed")
    if trace.caller_path is not None:
        facts.append(f"called at {_place(trace.caller_path, trace.caller_line)}")
    if trace.cause == "first":
        return Entry(tuple(facts), arguments=trace.arguments)
    advice = " ".join(filter(None, (trace.advice, trace.checked))) if trace.advice else ""
    return Entry(tuple(facts), trace.why, advice, trace.arguments)


def _place(path: str | None, line: int | None) -> str:
    if path is None:
        return "no file"
    name = os.path.basename(path)
    return name if line is None else f"{name}:{line}"


def _many(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _wrapped(text: str, width: int, indent: str) -> list[str]:
    return textwrap.wrap(
        text, max(40, width), initial_indent=indent, subsequent_indent=indent + "  ", break_on_hyphens=False
    )
