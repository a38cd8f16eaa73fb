"""From what two runs gave to verdicts: ops, outputs, gradients, variables."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from tapeinspect.probe.diff.align import Pair, RanOp
from tapeinspect.probe.diff.runs import Call
from tapeinspect.trace import bits
from tapeinspect.trace.distance import EQUAL, GRADIENT_SHARE, TOLERANCE, Distance, distance

ZERO_SHARE: Final = 5e-6
"""A gradient whose norm is below this share of the norm of all is zero up to rounding."""


_SHAPING: Final = frozenset({"Reshape", "ExpandDims", "Squeeze"})
"""Ops that give the same numbers in another shape."""


@dataclass(frozen=True, slots=True)
class Judged:
    """One output, gradient or variable of both runs."""

    kind: Literal["output", "gradient", "variable"]
    name: str
    call: int
    """Which call of the step, from 1."""
    distance: Distance
    note: str = ""


@dataclass(frozen=True, slots=True)
class JudgedOp:
    """A pair of ops; distance is None where there is nothing to compare."""

    pair: Pair
    distance: Distance | None


def judge_ops(pairs: Sequence[Pair], tolerance: float | None) -> list[JudgedOp]:
    """Compare what aligned ops gave."""
    found = []
    for pair in pairs:
        far = None
        if pair.eager is not None and pair.traced is not None:
            far = _op_distance(pair.eager, pair.traced, tolerance)
        found.append(JudgedOp(pair, far))
    return found


def _op_distance(eager: RanOp, traced: RanOp, tolerance: float | None) -> Distance | None:
    if not (eager.has_values and traced.has_values) or (eager.shapes_only and traced.shapes_only):
        return None
    if (eager.shape == traced.shape or eager.type in _SHAPING) and _same_bits(eager, traced):
        return EQUAL
    if eager.values is None or traced.values is None or len(eager.values) != len(traced.values):
        return None
    return worst([distance(a, b, tolerance) for a, b in zip(eager.values, traced.values, strict=True)])


def _same_bits(eager: RanOp, traced: RanOp) -> bool:
    if eager.values is None or traced.values is None or len(eager.values) != len(traced.values):
        return eager.bits() == traced.bits()
    return all(map(bits.same, eager.values, traced.values))


def worst(distances: Sequence[Distance]) -> Distance:
    """The largest of several distances."""
    order = ("bit-equal", "rounding", "real")
    return max(distances, key=lambda d: (order.index(d.verdict), d.max_abs or 0.0), default=EQUAL)


def judge_call(
    eager: Call,
    traced: Call,
    number: int,
    tolerance: float | None,
    loosened: float = 1.0,
    before: float = 0.0,
) -> list[Judged]:
    """Compare what a call of each side returned, the gradients it took, and the variables after it.

    loosened: by how much the tolerance by dtype is. before: the largest norm of the gradients of earlier calls, whose
    rounding is in the variables that this call's gradients come from.
    """
    found = [
        Judged("output", name, number, far)
        for name, value in eager.outputs.items()
        if (far := _plain_distance(value, traced.outputs.get(name), tolerance, loosened)) is not None
    ]
    gradients = _judge_gradients(eager, traced, number, tolerance, loosened, before)
    loose = {judged.name for judged in gradients if _is_loose(judged)}
    found += gradients
    for name, value in eager.variables.items():
        other = traced.variables.get(name)
        if value is None or other is None:
            continue
        far, note = distance(value, other, tolerance, loosened=loosened), ""
        if far.verdict == "real" and (
            name in loose or (name not in eager.gradients and _is_slot_of(name, loose))
        ):
            far = Distance(far.max_abs, far.max_rel, far.ulp, "rounding")
            note = "its gradient is the same up to rounding; the optimizer scales what is left"
        found.append(Judged("variable", name, number, far, note))
    return found


def _is_slot_of(name: str, variables: Collection[str]) -> bool:
    """Whether a variable is what an optimizer keeps of one of these: `adam/dense_kernel_momentum` of `dense/kernel`."""
    flat = name.replace("/", "_")
    return any(f"_{of.replace('/', '_')}_" in flat for of in variables)


def _is_loose(gradient: Judged) -> bool:
    """The same up to rounding against all gradients, but not against itself: an optimizer may blow that up."""
    return (
        gradient.distance.verdict == "rounding" and (gradient.distance.max_rel or 0.0) > TOLERANCE["float32"]
    )


def _judge_gradients(
    eager: Call, traced: Call, number: int, tolerance: float | None, loosened: float, before: float
) -> list[Judged]:
    import numpy as np

    mine = {name: value for name, value in eager.gradients.items() if value is not None}
    norm = gradient_norm(eager)
    found = []
    for name, value in mine.items():
        other = traced.gradients.get(name)
        if other is None:
            continue
        far = distance(value, other, tolerance, GRADIENT_SHARE * max(norm, before), loosened=loosened)
        own = float(np.sqrt(np.sum(np.abs(value.astype("complex128")) ** 2)))
        zero = norm > 0 and own < ZERO_SHARE * norm
        note = (
            "zero up to rounding: what is left of it is noise" if zero and far.verdict != "bit-equal" else ""
        )
        found.append(Judged("gradient", name, number, far, note))
    return found


def gradient_norm(call: Call) -> float:
    """The norm of all gradients of a call; 0.0 when it is not finite."""
    import numpy as np

    floats = [v for v in call.gradients.values() if v is not None and v.dtype.kind in "fcV"]
    norm = math.sqrt(sum(float(np.sum(np.abs(v.astype("complex128")) ** 2)) for v in floats))
    return norm if math.isfinite(norm) else 0.0


def _plain_distance(a: Any, b: Any, tolerance: float | None, loosened: float) -> Distance | None:
    """The distance of two returned values; None when they cannot be compared."""
    import numpy as np

    if a is None or b is None:
        return None
    x, y = np.asarray(a), np.asarray(b)
    if x.dtype.kind in "OSU" or y.dtype.kind in "OSU":
        return EQUAL if _texts(x) == _texts(y) else Distance(None, None, None, "real")
    if isinstance(a, (bool, int, float, complex)) or isinstance(b, (bool, int, float, complex)):
        kind = (
            y.dtype if isinstance(a, (bool, int, float, complex)) else x.dtype
        )  # a Python number has no type of its own
        if x.dtype.kind == y.dtype.kind or {x.dtype.kind, y.dtype.kind} <= set("iuf"):
            x, y = x.astype(kind), y.astype(kind)
    return distance(x, y, tolerance, loosened=loosened)


def _texts(array: Any) -> Any:
    return [t.decode(errors="replace") if isinstance(t, bytes) else str(t) for t in array.ravel().tolist()]
