"""What comes of a loop's body being made a function: how its parameters and results take to being traced."""

from __future__ import annotations

from tapeinspect.probe.diff.behaviour import Found
from tapeinspect.probe.diff.blame import Spot
from tapeinspect.probe.step_function import StepFunction


def findings(step: StepFunction, start: Spot) -> list[Found]:
    """What a user should know before making the function. start: where the loop begins."""
    body = step.body
    if body is None:
        return []
    found = [
        Found(
            "retraces",
            "warning",
            start,
            f"`{name}` is a Python value, another one with each batch: given to a function, it has it traced anew for"
            " each",
            f"give the function a tensor, tf.constant({name}), or leave what needs the value of {name} in the loop",
        )
        for name in body.varying
    ]
    found += [
        Found(
            "reads-global",
            "error",
            Spot(start.path, line),
            f"`{other}` reads `{name}` as a global: called in a function of the batch, it would not see the batch's"
            f" {name}, and traced it would keep to the first",
            f"give {name} to {other} as an argument",
        )
        for other, name, line in body.others
    ]
    return found + [
        Found(
            "python-object",
            "info",
            start,
            f"`{name}` is used behind the batch and is no tensor, which a tf.function cannot give back",
            f"make {name} where the function is called, or return the tensors of it that are needed",
        )
        for name in body.stays
    ]
