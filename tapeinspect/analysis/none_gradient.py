"""Why a gradient is None: worked out from the recorded ops, and saying no more than they show."""

from __future__ import annotations

from weakref import WeakKeyDictionary

from tapeinspect.analysis.none.scene import Scene, Source, make_scene
from tapeinspect.analysis.none.source import (
    dtype_reason as source_dtype_reason,
)
from tapeinspect.analysis.none.source import (
    not_itself_reason,
    unrecorded_reason,
    unused_reason,
    users_of,
)
from tapeinspect.analysis.none.target import dtype_reason, target_reason
from tapeinspect.analysis.none.way import way_reason
from tapeinspect.trace.reader import TraceReader
from tapeinspect.trace.records import Gradient, GradientCall, Reason

_scenes: WeakKeyDictionary[TraceReader, tuple[int, int, Scene | None]] = WeakKeyDictionary()
"""The scene of the last call of each recording that was asked about: a call often has many gradients that are None."""


def explain(reader: TraceReader, gradient: Gradient) -> Reason:
    """Why this gradient, of form 'none', is None; with the line of the user's code that it comes from."""
    name = gradient.variable.name
    call = next((call for call in reader.gradient_calls(gradient.step) if call.id == gradient.call), None)
    if call is None:
        return Reason(f"No recorded op connects {name} to the target.", None, None)
    scene = _scene(reader, call)
    evidence = reader.none_evidence(gradient.id)
    tensor = gradient.variable.handle
    if tensor is None and evidence is not None:
        tensor = evidence.tensor
    reason = scene and target_reason(scene)
    if reason is None and scene is not None and tensor is not None:
        reason = _source_reason(scene, Source(gradient, tensor, evidence))
    return reason or Reason(f"No recorded op connects {name} to the target.", call.path, call.line)


def explain_call(reader: TraceReader, call: GradientCall) -> Reason | None:
    """Why every gradient of a call is None, when that is due to its target; None when it is not."""
    scene = _scene(reader, call)
    return None if scene is None else target_reason(scene) or dtype_reason(scene)


def _scene(reader: TraceReader, call: GradientCall) -> Scene | None:
    known = _scenes.get(reader)
    if known is not None and known[:2] == (call.id, reader.counts.ops):
        return known[2]
    scene = make_scene(reader, call)
    _scenes[reader] = (call.id, reader.counts.ops, scene)
    return scene


def _source_reason(scene: Scene, source: Source) -> Reason:
    seeming = source_dtype_reason(scene, source) or not_itself_reason(scene, source)
    if seeming is not None:
        return seeming
    taking, through = users_of(scene, source)
    if not taking:
        return unused_reason(scene, source)
    recorded = [edge for edge in taking if scene.recorded(edge)]
    if not recorded:
        return unrecorded_reason(scene, source, taking)
    return way_reason(scene, source, through, recorded)
