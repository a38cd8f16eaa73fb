"""A recording as a report in words: what was trained, how its gradients fare, what was found."""

from __future__ import annotations

import math
import os
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Final, TextIO

from tapeinspect.analysis.findings import Settings, find
from tapeinspect.analysis.health.rules import RULES
from tapeinspect.report import traces as traces_report
from tapeinspect.trace.reader import TraceReader, open_trace
from tapeinspect.trace.records import Finding, Step

_WIDTH: Final = 100
_ROWS: Final = 40
"""Variables in the table."""


def write(trace: Path, stream: TextIO | None, how: Settings) -> list[str]:
    """Write the report; the severity of each finding. Raises TraceError when the recording cannot be read."""
    reader = open_trace(trace)
    try:
        found = find(reader, how)
        if stream is not None:
            for line in _lines(reader, found):
                stream.write(_plain(line) + "\n")
        return [item.severity for item in found]
    finally:
        reader.close()


def _plain(line: str) -> str:
    """A line without control characters, which a script's names might bring."""
    return "".join(c if c.isprintable() else "?" for c in line).encode("utf-8", "replace").decode()


def _lines(reader: TraceReader, found: list[Finding]) -> Iterator[str]:
    meta = reader.meta
    yield f"{os.path.basename(meta.script) or 'a recording'} · TensorFlow {meta.tensorflow or 'not imported'}"
    steps = [step for step in reader.steps() if step.last_op is not None]
    yield f"{len(steps):,} batches, {reader.counts.ops:,} ops{_losses(steps)}"
    for failure in reader.errors():
        where = f" at {_place(failure.file, failure.line)}" if failure.file else ""
        yield f"ended by {failure.type}{where}: {failure.message.splitlines()[0] if failure.message else ''}"
    if steps:
        yield ""
        yield from _gradients(reader, _whole(reader, steps))
    yield ""
    yield from _findings(found)
    if traces := list(traces_report.lines(reader.traces(), _WIDTH)):
        yield ""
        yield from traces
    yield from _unseen(reader)


def _losses(steps: list[Step]) -> str:
    losses = [step.loss for step in steps if step.loss is not None]
    if not losses:
        return ""
    return f", loss {losses[0]:.4g} in the first and {losses[-1]:.4g} in the last"


def _whole(reader: TraceReader, steps: list[Step]) -> Step:
    """The last batch, or the one before: variables that die with the last leave nothing to take its update from."""
    last = reader.variable_steps(steps[-1].id).values()
    if len(steps) > 1 and last and all(state.assigns and state.update_ratio is None for state in last):
        return steps[-2]
    return steps[-1]


def _gradients(reader: TraceReader, step: Step) -> Iterator[str]:
    """The gradients of a batch as a table: of a variable that several were asked for, the last."""
    asked = reader.gradients(step.id)
    gradients = list({gradient.variable.id: gradient for gradient in asked}.values())
    if not gradients:
        yield f"No gradient was asked for in batch {step.id}."
        return
    states = reader.variable_steps(step.id)
    shown = gradients[:_ROWS]
    width = min(44, max(len(gradient.variable.name) for gradient in shown))
    yield f"{'gradients of batch ' + str(step.id):<{width}}  {'norm':>9}  {'max |g|':>9}  {'zeros':>6}  {'update':>9}"
    for gradient in shown:
        name = gradient.variable.name
        name = name if len(name) <= width else "…" + name[1 - width :]
        if gradient.form == "none":
            yield f"{name:<{width}}  {'None':>9}"
            continue
        state = states.get(gradient.variable.id)
        update = None if state is None else state.update_ratio
        peak = None if gradient.min is None or gradient.max is None else max(-gradient.min, gradient.max)
        norm = _figure(gradient.norm) if gradient.norm is not None else "NaN/Inf"
        yield (
            f"{name:<{width}}  {norm:>9}  {_figure(peak):>9}  {100 * gradient.zeros:>4.0f} %  {_figure(update):>9}"
        )
    if len(gradients) > _ROWS:
        yield f"and {len(gradients) - _ROWS:,} more"
    if len(asked) > len(gradients):
        calls = len({gradient.call for gradient in asked})
        yield f"The last of each; gradients were asked for {calls:,} times in this batch."


def _figure(value: float | None) -> str:
    return "–" if value is None or not math.isfinite(value) else f"{value:.3g}"


def _findings(found: list[Finding]) -> Iterator[str]:
    if not found:
        yield "No findings."
        return
    yield f"{len(found):,} finding{'s' if len(found) > 1 else ''}:"
    for item in found:
        batch = f" · batch {item.step}" if item.step is not None else ""
        yield ""
        yield f"{item.severity} {item.rule} · {_place(item.path, item.line)}{batch}"
        yield from _wrapped(item.message)
        if item.hint:
            yield from _wrapped(f"→ {item.hint}")


def _place(path: str | None, line: int | None) -> str:
    if path is None:
        return "no line"
    try:
        short = os.path.relpath(path)
    except ValueError:  # another drive
        short = path
    path = path if short.startswith("..") else short
    return path if line is None else f"{path}:{line}"


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, _WIDTH, initial_indent="  ", subsequent_indent="  ", break_long_words=False)


def _unseen(reader: TraceReader) -> Iterator[str]:
    """What the rules could not look at."""
    meta = reader.meta
    if meta.values == "off":
        yield ""
        yield "Recorded with --values off: activations, labels and inputs were not looked at."
    elif reader.counts.steps and not reader.sampled_steps():
        yield ""
        yield "The recording has no figures of activations, labels and inputs; record it anew for the rules about them."
    if meta.mode == "graph":
        yield ""
        yield "Recorded with --mode graph: what runs inside a tf.function was not looked at."
    for error in reader.probe_errors():
        yield ""
        yield f"The recording of {error.part} is incomplete: {error.message}"


def rules(how: Settings) -> str:
    """The rules, one a paragraph."""
    lines = []
    for rule in RULES:
        on = rule.id not in how.off and (rule.on or rule.id in how.on)
        limit = how.limits.get(rule.id, rule.limit)
        figure = "" if limit is None else f"={limit:g}"
        lines.append(f"{rule.id}{figure}{'' if on else '  (off)'}")
        lines += _wrapped(rule.meaning.format(limit="" if limit is None else f"{limit:g}") + ".")
        lines += _wrapped(rule.source)
    return "\n".join(lines) + "\n"
