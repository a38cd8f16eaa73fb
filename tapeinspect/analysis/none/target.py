"""Reasons that lie in the target of a gradient call: every gradient of the call is None."""

from __future__ import annotations

from tapeinspect.analysis.differentiable import carries_gradient
from tapeinspect.analysis.none.scene import Scene
from tapeinspect.trace.records import Reason

_INSIDE = "Compute the target inside the `with tf.GradientTape()` block."


def target_reason(scene: Scene) -> Reason | None:
    """The reason that lies in the targets, when none of them was computed while the tape was recording."""
    if not scene.call.targets:
        return None
    makers = [scene.made.get(target) for target in scene.call.targets]
    if any(
        maker is None or scene.recorded(maker) or scene.begin <= maker.op <= scene.end for maker in makers
    ):
        return None
    maker = next(maker for maker in makers if maker is not None)
    when = "before the tape was opened" if maker.op < scene.begin else "after the tape was closed"
    message = f"The target was computed {when}: {maker.type}{scene.at(maker)} was not recorded."
    return scene.reason(message, maker, _INSIDE, (scene.step_of(maker),))


def dtype_reason(scene: Scene) -> Reason | None:
    """The reason when every target is of a type that has no gradient."""
    found = []
    for target in scene.call.targets:
        maker = scene.made.get(target)
        if maker is None:
            return None
        dtype = dict(zip(maker.outputs, maker.dtypes, strict=True)).get(target, "unknown")
        if carries_gradient(dtype):
            return None
        found.append((maker, dtype))
    if not found:
        return None
    maker, dtype = found[0]
    return scene.reason(
        f"The target is of type {dtype}, which has no gradient: {maker.type}{scene.at(maker)} made it.",
        maker,
        "Ask for the gradient of a target of floats.",
    )
