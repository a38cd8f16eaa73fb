"""The traces of a run's `tf.function`s as text: when each was made, why, and what would have saved it."""

from __future__ import annotations

import os
import textwrap
from collections.abc import Iterator, Sequence
from typing import Final

from tapeinspect.trace.records import FunctionTrace

_ROWS: Final = 40
"""Traces that are listed: the first ones, for what happens later repeats them."""


def lines(traces: Sequence[FunctionTrace], width: int) -> Iterator[str]:
    """A head and a paragraph for each trace of the user's functions; nothing when there is none."""
    own = [trace for trace in traces if trace.kind != "library"]
    if not own:
        return
    again = sum(trace.retrace for trace in own)
    yield (
        f"Traces: {len(own):,} of {_many(len({trace.object for trace in own}), 'tf.function')}, "
        f"{_many(again, 'retrace') if again else 'none of them a retrace'}"
    )
    for trace in own[:_ROWS]:
        yield from _trace(trace, width)
    if len(own) > _ROWS:
        rest = own[_ROWS:]
        yield f"  and {len(rest):,} more, {_many(sum(trace.retrace for trace in rest), 'retrace')}"


def _trace(trace: FunctionTrace, width: int) -> Iterator[str]:
    facts = [f"{trace.function} ({_place(trace.path, trace.line)})", f"trace {trace.number}"]
    if trace.seconds is not None:
        facts.append(f"{trace.seconds:.2f} s")
    facts.append(_many(trace.nodes, "op") if trace.nodes else "failed")
    if trace.caller_path is not None:
        facts.append(f"called at {_place(trace.caller_path, trace.caller_line)}")
    yield from _wrapped(" · ".join(facts), width, "  ")
    if trace.cause == "first":
        return
    yield from _wrapped(trace.why, width, "    ")
    if trace.advice:
        tried = f" (tried: {trace.checked})" if trace.checked else ""
        yield from _wrapped(f"→ {trace.advice}{tried}", width, "    ")


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
