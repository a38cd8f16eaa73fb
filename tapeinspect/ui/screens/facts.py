"""What header and timeline say about a subject. Pure functions, no Textual."""

from __future__ import annotations

import math
import time
from bisect import bisect_right
from collections.abc import Sequence

from tapeinspect.trace.records import Finding, OpFilter, Step
from tapeinspect.ui.findings import summary
from tapeinspect.ui.format import basename, count, visible
from tapeinspect.ui.format import loss as loss_text
from tapeinspect.ui.subject import Subject
from tapeinspect.ui.widgets.bars import HeaderFacts
from tapeinspect.ui.widgets.timeline import Batch

_STATES = {
    "starting": ("STARTING", "info"), "importing": ("IMPORTING", "info"), "running": ("RUNNING", "good"),
    "paused": ("PAUSED", "warn"), "finished": ("ENDED", "muted"),
}  # fmt: skip


def header_facts(subject: Subject, viewed: int | None, found: Sequence[Finding] = ()) -> HeaderFacts:
    """The header of the moment."""
    state, tone, why = _state(subject)
    facts = [*_facts(subject, viewed), *filter(None, (summary(found),))]
    return HeaderFacts(visible(_script(subject)), state, tone, why, tuple(facts))


def _script(subject: Subject) -> str:
    if subject.reader is not None and subject.recording:
        return basename(subject.reader.meta.script) or subject.script
    return basename(subject.script) or subject.script


def _state(subject: Subject) -> tuple[str, str, str]:
    if subject.failures:
        failure = subject.failures[-1]
        where = f" at {basename(failure.file)}:{failure.line}" if failure.file else ""
        return "FAILED", "bad", visible(f"{failure.type}{where}")
    if subject.recording:
        complete = subject.counts.complete
        status = subject.reader.meta.exit_status if subject.reader else None
        if subject.reader is not None and (errors := subject.reader.probe_errors()):
            return "RECORDING", "warn", f"incomplete: {visible(errors[0].part)}: {visible(errors[0].message)}"
        if not complete:
            return "RECORDING", "second", "cut off: the script was killed, or still runs"
        return "RECORDING", "second", "" if not status else f"the script ended with status {status}"
    if subject.exited and subject.exit_status:
        return "FAILED", "bad", subject.status.why
    state, tone = _STATES[subject.status.state]
    why = subject.status.why
    if subject.status.state in ("starting", "importing"):
        why = f"{why or 'starting Python'} · {time.monotonic() - subject.started:.1f} s"
    if subject.troubles:
        why = subject.troubles[-1].message
        tone = "bad" if subject.troubles[-1].fatal else "warn"
    return state, tone, visible(why)


def _facts(subject: Subject, viewed: int | None) -> list[str]:
    """Figures for the right end, the least important first."""
    facts: list[str] = []
    reader = subject.reader
    if reader is not None and (version := reader.meta.tensorflow):
        facts.append(f"TF {version}")
    if subject.counts.ops:
        facts.append(count(subject.counts.ops, "op"))
    overhead = subject.tick.overhead if subject.tick is not None else None
    if overhead is None and reader is not None:
        overhead = next((step.overhead for step in reversed(reader.steps()) if step.overhead), None)
    if overhead is not None:
        facts.append(f"cost {overhead:.2f}×")
    loss = subject.tick.loss if subject.tick is not None else None
    if loss is None and reader is not None:
        loss = next((step.loss for step in reversed(reader.steps()) if step.loss is not None), None)
    if loss is not None:
        facts.append(f"loss {loss_text(loss)}")
    if subject.counts.steps:
        facts.append(f"batch {viewed or subject.counts.steps}/{subject.counts.steps}")
    return facts


def bad_steps(subject: Subject) -> frozenset[int]:
    """The batches in which NaN or Inf turned up in an op or a gradient."""
    reader = subject.reader
    if reader is None:
        return frozenset()
    steps = reader.steps()
    firsts = [step.first_op for step in steps]
    found = {step.id for step in steps if step.loss is not None and not math.isfinite(step.loss)}
    for op in reader.op_ids(OpFilter(bad=True)):
        index = bisect_right(firsts, op) - 1
        if index >= 0:
            last = steps[index].last_op
            if last is None or op <= last:
                found.add(steps[index].id)
    return frozenset(found)


def timeline_batches(
    subject: Subject, bad: frozenset[int], noted: frozenset[int] = frozenset()
) -> tuple[Batch, ...]:
    """A cell for every batch."""
    failed = {failure.step for failure in subject.failures}
    steps: Sequence[Step] = subject.steps
    return tuple(
        Batch(
            step.loss,
            step.id in bad,
            step.id in failed,
            subject.live and step.last_op is None,
            step.id in noted,
        )
        for step in steps
    )


def timeline_waiting(subject: Subject) -> str:
    """What the timeline says while there is no batch."""
    if subject.recording:
        return "No batch in this recording: no gradient tape was opened"
    if subject.exited and subject.counts.ops:
        return "No batch: the script opened no gradient tape"
    if subject.exited:
        return "The script ended before its first batch"
    if subject.status.state in ("starting", "importing"):
        return "One cell per batch will be here"
    return "No batch yet: one begins where a gradient tape is opened"
