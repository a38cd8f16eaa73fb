"""The work "tracing": what of a step does not survive tracing. Options: none; answer: {"survey": id of its row}."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tapeinspect.probe import step_function
from tapeinspect.probe.errands import WorkRefused
from tapeinspect.probe.survival import check as survival
from tapeinspect.probe.taken.stand_in import standing_in

if TYPE_CHECKING:
    from tapeinspect.probe.recorder import Recorder


def run(recorder: Recorder, step: int | None, options: dict[str, Any]) -> dict[str, Any]:
    """Trace a step and write the facts, unless "autograph" just did with the same trace. Raises WorkRefused."""
    if not recorder.can("survey"):
        raise WorkRefused(
            "this TensorFlow lacks what tapeinspect needs to watch a step being traced",
            "tapeinspect info shows what works.",
        )
    found = step_function.find(recorder, step)
    if not found.callable:
        raise WorkRefused(found.note, found.hint)
    written, recorder.errands.surveyed = recorder.errands.surveyed, None
    if written is not None and written[0] == found.step:
        return {"survey": written[1]}
    with standing_in(recorder, found) as again:
        return {"survey": survival.collect(recorder, again)}
