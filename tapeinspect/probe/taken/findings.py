"""What the comparison says of the iterators that a step takes from."""

from __future__ import annotations

from collections.abc import Iterator

from tapeinspect.probe.diff.behaviour import Found
from tapeinspect.probe.diff.blame import Blame
from tapeinspect.probe.step_function import StepFunction


def findings(step: StepFunction, blame: Blame) -> list[Found]:
    """Python iterators that the step took from: the graph takes once, while it is traced."""
    return [
        Found(
            "python-iterator",
            "error",
            blame.change(stood.path) or blame.use(stood.path),
            f"the step takes its next input from the {stood.what} `{stood.path}`: the graph takes one, while tracing,"
            " and uses it in each call",
            "take the batch outside of the step and pass it as an argument",
        )
        for stood in step.iterators
        if stood.instead is not None and stood.instead.taken
    ]


def notes(step: StepFunction) -> Iterator[str]:
    """What the iterators handed out."""
    for stood in step.iterators:
        if stood.instead is not None and not stood.instead.taken:
            continue
        what = "1 element" if stood.count == 1 else f"{stood.count:,} elements"
        if stood.ahead:
            yield f"`{stood.path}` gave in every run what it would give next, and goes on in the script from there"
        else:
            yield f"`{stood.path}` gave in every run what it gave in batch {step.step} ({what})"
