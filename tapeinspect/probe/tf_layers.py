"""What Keras' layers do not tell through ops: dropout inside a model that does nothing, since training is off.

Looks at the frames of Keras' `Layer.__call__`, whose names are private. Tried with Keras 3.15; where they differ,
nothing is found.
"""

from __future__ import annotations

import sys
from types import FrameType
from typing import Any

_KERAS = ("keras/src/layers/layer.py", "keras\\src\\layers\\layer.py")


def idle_dropouts(frame: FrameType | None) -> tuple[Any, list[tuple[str, float]]] | None:
    """The outermost layer that is being called, and name and rate of the dropouts in it that are off.

    None unless it was called without saying `training`, which leaves dropout off in a loop of one's own.
    """
    outermost = None
    while frame is not None:
        if frame.f_code.co_name == "__call__" and frame.f_code.co_filename.endswith(_KERAS):
            outermost = frame
        frame = frame.f_back
    if outermost is None:
        return None
    local = outermost.f_locals
    layer: Any = local.get("self")
    args = local.get("original_args", local.get("args", ()))
    named = local.get("original_kwargs", local.get("kwargs", {}))
    silent, training = len(args) == 1 and "training" not in named, local.get("training")
    if sys.version_info < (3, 13):
        local.clear()  # the snapshot would keep every local alive until the layer has been called
    if not silent or training or not hasattr(layer, "_flatten_layers"):
        return None
    inside = [part for part in layer._flatten_layers() if type(part).__name__.endswith("Dropout")]
    found = [(part.name, float(part.rate)) for part in inside if getattr(part, "rate", 0)]
    return (layer, found) if found else None
