"""Steps that a second run would take something away from: they are not run."""

from __future__ import annotations

from tapeinspect.probe.errands import WorkRefused
from tapeinspect.probe.sandbox.sandbox import Sandbox

_DATASET = "tf.data.Dataset"


def refuse_what_uses_up(box: Sandbox) -> None:
    """Raise WorkRefused when tracing the step would use up a Python iterator that the script still needs."""
    used = next((entry for entry in box.consumed if not entry.what.endswith(_DATASET)), None)
    if used is not None:
        raise WorkRefused(
            f"tracing the step once more could use up what the script still needs: {used.path} ({used.what})",
            "take the items outside of the step and pass them as arguments: traced, they would be constants",
        )
