"""What would have prevented a retrace, tried on TensorFlow's own cache of traces where that tells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tapeinspect.probe import tf_tracing
from tapeinspect.probe.tf_tracing import Tracing
from tapeinspect.probe.tracing import signatures
from tapeinspect.probe.tracing.signatures import Difference

_OTHER = {
    "first": "",
    "variables": "",
    "new-function": "Make the tf.function once, outside of the loop or function, and call that one each time.",
    "instance": "Keep one object, or make the tf.function once of a plain function that takes the object's"
    " variables.",
    "object": "Pass the same object each time, or pass what the function needs of it as tensors.",
    "died": "Keep the object and pass it again, or pass what the function needs of it as tensors: a trace"
    " holds its Python arguments weakly.",
    "structure": "Pass the same structure each time: the same keys and the same number of parts.",
    "arguments": "Give the same arguments in each call.",
    "variable": "Pass variables of one shape and dtype, in the same arrangement; or give each its own tf.function.",
    "device": "Enter tf.device inside the function rather than around the call.",
}


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a trace was made."""

    code: str
    """A code of `Difference`, or one of the table `trace`."""
    text: str
    path: str = ""
    """The part of an argument that it is about."""
    found: tuple[Difference, ...] = ()
    """All that was different."""

    @classmethod
    def of(cls, found: Sequence[Difference]) -> Cause:
        """The cause that differences of the arguments are."""
        text = "; ".join(difference.sentence() for difference in found[:4])
        rest = f"; and {len(found) - 4} more" if len(found) > 4 else ""
        return cls(found[0].code, text + rest, found[0].path, tuple(found))


@dataclass(frozen=True, slots=True)
class Advice:
    """What to do, and how that was checked."""

    text: str = ""
    checked: str | None = None

    def sentence(self) -> str:
        """Both in one, for a finding's hint."""
        return f"{self.text} {self.checked}" if self.checked else self.text


def advise(tracing: Tracing, cause: Cause, calls: Sequence[Any]) -> Advice:
    """What would have prevented a trace. `calls`: the types of all calls that led to traces of its function."""
    if cause.code in _OTHER or not cause.found:
        return Advice(_OTHER.get(cause.code, ""))
    names = [list(signatures.parameters(call)) for call in calls]
    if any(name != names[-1] for name in names):
        return Advice(_plain(cause))
    numbers = _numbers(calls)
    wished = [_as_tensors(call, numbers) for call in calls]
    common = _common(wished)
    if common is None:
        return Advice(_plain(cause))
    return _relaxed(tracing, wished, common, numbers) or Advice(_plain(cause))


def _numbers(calls: Sequence[Any]) -> dict[str, Any]:
    """The arguments that are Python numbers, not the same in all calls: the type of the tensor to pass instead."""
    found = {}
    for name, kind in signatures.parameters(calls[-1]).items():
        kinds = [signatures.parameters(call)[name] for call in calls]
        literals = [k.value for k in kinds if signatures.is_literal(k) and _is_number(k.value)]
        if signatures.is_literal(kind) and len(literals) == len(kinds) and len(set(map(repr, literals))) > 1:
            found[name] = tf_tracing.number_spec(1.0 if any(isinstance(v, float) for v in literals) else 1)
    return found


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _as_tensors(call: Any, numbers: dict[str, Any]) -> Any:
    return tf_tracing.with_types(call, {**signatures.parameters(call), **numbers}) if numbers else call


def _common(calls: Sequence[Any]) -> Any:
    """The type that fits all calls; None when there is none."""
    types = {}
    for name in signatures.parameters(calls[-1]):
        types[name] = tf_tracing.common_type([signatures.parameters(call)[name] for call in calls])
        if types[name] is None:
            return None
    return tf_tracing.with_types(calls[-1], types)


def _relaxed(tracing: Tracing, calls: Sequence[Any], common: Any, numbers: dict[str, Any]) -> Advice | None:
    """Advice that lets one trace, or one more, do for all calls; None when TensorFlow would go on tracing."""
    tensors = f"Pass {signatures.joined(numbers)} as {'a tensor' if len(numbers) == 1 else 'tensors'}"
    example = next(iter(numbers), "")
    tensors += f", such as tf.constant({example})"
    seen = len({repr(call) for call in calls})
    if all(call == calls[0] for call in calls) and numbers:
        needed = tf_tracing.traces_needed(calls, False)
        return Advice(f"{tensors}: one trace then does for every value.", _checked(len(calls), needed))
    signature = _signature(common)
    also = f"{tensors}, and add" if numbers else "Add"
    if signature is not None and not tracing.signed:
        needed = tf_tracing.traces_needed(calls, False, common)
        if needed == 1:
            text = f"{also} input_signature={signature} to the tf.function."
            return Advice(text, _checked(seen, needed))
    if not tracing.reduces and not tracing.signed:
        needed = tf_tracing.traces_needed(calls, True)
        if needed <= 2 or needed < len(calls) - 1:
            text = f"{also} reduce_retracing=True to the tf.function."
            return Advice(text, _checked(seen, needed))
    return None


def _signature(common: Any) -> str | None:
    texts = [signatures.written(kind) for kind in signatures.parameters(common).values()]
    known = [text for text in texts if text is not None]
    return f"[{', '.join(known)}]" if len(known) == len(texts) and texts else None


def _checked(calls: int, needed: int) -> str:
    """How an advice was tried."""
    traces = "1 trace" if needed == 1 else f"{needed} traces"
    kinds = "1 kind" if calls == 1 else f"{calls} kinds"
    return (
        f"Tried on TensorFlow's cache of traces: the {kinds} of calls seen so far then take {traces};"
        " whether the function's own code allows it was not tried."
    )


def _plain(cause: Cause) -> str:
    """Advice that could not be tried."""
    found = cause.found[0]
    if found.code == "dtype":
        return f"Cast {found.path} to one dtype before the call: tf.cast({found.path}, tf.{found.before})."
    if found.code == "type":
        return f"Pass {found.path} as the same kind of thing each time, preferably a tensor."
    if found.code == "value":
        return (
            f"Each Python value of {found.path} has a trace of its own: keep to few values, or pass it as a tensor"
            " if it is a number."
        )
    if found.code in ("shape", "rank"):
        return (
            f"Give {found.path} the same shape in each call, or add reduce_retracing=True to the tf.function."
        )
    return _OTHER.get(found.code, "")
