"""Findings about gradients that are None, tapes used wrongly, and where NaN and Inf came from."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Literal

from tapeinspect.analysis.nan_origin import origins
from tapeinspect.analysis.none_gradient import explain
from tapeinspect.trace.reader import TraceReader
from tapeinspect.trace.records import Finding, Gradient, GradientCall, Reason

_NAMED = 3
_USED_TWICE = "A non-persistent GradientTape can only be used to compute one set of gradients"
_NO_FUNCTION = re.compile(r"gradient registry has no entry for: (\w+)")


def find(reader: TraceReader) -> Iterator[Finding]:
    """All findings of this kind."""
    yield from none_gradients(reader)
    yield from failed_calls(reader)
    yield from nan_origins(reader)


def nan_origins(reader: TraceReader) -> Iterator[Finding]:
    """Where each NaN or Inf came from that reached a loss, a gradient or a variable."""
    for origin in origins(reader):
        yield Finding(
            "nan-origin", "error", origin.step or None, origin.op, origin.path, origin.line, origin.message,
            origin.hint,
        )  # fmt: skip


def none_gradients(reader: TraceReader) -> Iterator[Finding]:
    """Gradients that are None: one finding for each reason, which may be that of several sources."""
    groups: dict[tuple[object, ...], list[tuple[Gradient, Reason]]] = {}
    for gradient, _ in reader.none_gradients():
        reason = explain(reader, gradient)
        told = reason.message.replace(gradient.variable.name, "")
        groups.setdefault((reason.path, reason.line, told), []).append((gradient, reason))
    for group in groups.values():
        yield _none_finding(reader, group)


def _none_finding(reader: TraceReader, group: Sequence[tuple[Gradient, Reason]]) -> Finding:
    gradient, reason = group[0]
    names = [one.variable.name for one, _ in group]
    message = reason.message
    if len(names) > 1:
        more = len(names) - _NAMED
        listed = ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")
        message = f"{len(names)} gradients are None ({listed}): {message}"
    else:
        message = f"The gradient of {names[0]} is None: {message}"
    op = reason.steps[-1].op if reason.steps else None
    return Finding(
        "none-gradient", _severity(reader, gradient), gradient.step, op, reason.path, reason.line, message,
        reason.hint,
    )  # fmt: skip


def _severity(reader: TraceReader, gradient: Gradient) -> Literal["error", "warning"]:
    """An error when no gradient came of the call at all."""
    others = [one for one in reader.gradients(gradient.step) if one.call == gradient.call]
    return "error" if all(one.form == "none" for one in others) else "warning"


def failed_calls(reader: TraceReader) -> Iterator[Finding]:
    """Calls that raised for a reason the recording explains."""
    calls = reader.gradient_calls(None)
    failed = [call for call in calls if call.error]
    for call in failed:
        missing = _NO_FUNCTION.search(call.error or "")
        if missing is not None:
            yield _no_function(reader, call, missing[1])
        elif _USED_TWICE in (call.error or ""):
            yield _used_twice(reader, calls, call.path, call.line, call.step, call.tape)
    for error in reader.errors():
        if _USED_TWICE in error.message and not any(_USED_TWICE in (call.error or "") for call in failed):
            yield _used_twice(reader, calls, error.file, error.line, error.step, None)


def _used_twice(
    reader: TraceReader,
    calls: Sequence[GradientCall],
    path: str | None,
    line: int | None,
    step: int | None,
    tape: int | None,
) -> Finding:
    """A tape without persistent=True was asked twice. `tape`: None where the call did not get as far as naming it."""
    before = [
        call
        for call in calls
        if call.error is None and (call.tape == tape if tape is not None else call.step == step)
    ]
    first = before[-1] if before else None
    opened = next((tape for tape in reader.tapes(step) if first is not None and tape.id == first.tape), None)
    message = "A tape made without persistent=True is used twice"
    if first is not None and first.line is not None:
        message += f": first at line {first.line}, then here"
    if opened is not None and opened.line is not None:
        message += f"; it was opened at line {opened.line}"
    return Finding(
        "tape-used-twice", "error", step, None, path, line, message + ".",
        "Ask for all gradients in one call, tape.gradient(loss, [a, b]), or make it with "
        "tf.GradientTape(persistent=True).",
    )  # fmt: skip


def _no_function(reader: TraceReader, call: GradientCall, op_type: str) -> Finding:
    """An op on the way has no gradient function at all."""
    tape = next((tape for tape in reader.tapes(call.step) if tape.id == call.tape), None)
    edge = None
    if tape is not None and tape.first_op is not None:
        edges = reader.edges(tape.first_op, tape.last_op or reader.counts.ops)
        edge = next((edge for edge in edges if edge.type == op_type and tape.id in edge.tapes), None)
    row = reader.rows([edge.op])[0] if edge is not None else None
    path, line = (row.path, row.line) if row is not None and row.line is not None else (call.path, call.line)
    return Finding(
        "no-gradient-function", "error", call.step, None if edge is None else edge.op, path, line,
        f"TensorFlow has no gradient function for {op_type}, which is on the way to the target.",
        f"Leave {op_type} out of what is differentiated, or give it a gradient with tf.custom_gradient.",
    )  # fmt: skip
