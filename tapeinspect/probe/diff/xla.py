"""The step compiled by XLA, held against the traced one at its borders: outputs, gradients, variables."""

from __future__ import annotations

import linecache
import re
import statistics
from dataclasses import dataclass, field
from typing import Final, Literal

from tapeinspect.probe.diff.behaviour import Found
from tapeinspect.probe.diff.blame import Spot
from tapeinspect.probe.diff.judge import Judged, judge_call
from tapeinspect.probe.diff.listed import ListedOp, OpList
from tapeinspect.probe.diff.runs import Runner, Side
from tapeinspect.probe.tf_state import EqualSeeds

_CHECKS: Final = ("Assert", "CheckNumerics")
"""Ops that XLA compiles to nothing."""
_RANDOM: Final = (
    "RandomUniform", "RandomStandardNormal", "TruncatedNormal", "Multinomial", "RandomShuffle", "RandomGamma",
    "RandomPoisson", "ParameterizedTruncatedNormal", "StatelessRandomUniform", "StatelessRandomNormal",
    "StatelessTruncatedNormal", "StatelessMultinomial", "StatelessRandomGamma", "StatelessRandomBinomial",
    "StatelessRandomPoisson", "StatelessParameterizedTruncatedNormal",
)  # fmt: skip
"""Ops for which XLA has a source of random numbers of its own, whatever their seeds.

Stateless ones among them: with alg="auto_select", which layers of Keras use, it takes another algorithm.
"""
_UNSUPPORTED: Final = re.compile(r"(\w+) \(No registered '\w+' OpKernel for \w+[^{]*\{\{node ([^}]+)\}\}")
_SECONDS: Final = 0.4
"""How long it is called for its time, at most."""
_NODE: Final = re.compile(r"\{\{node ([^}]+)\}\}")
_NOISE: Final = re.compile(r"\{\{(?:function_)?node [^}]*\}\}\s*")
_LOOSENED: Final = 10.0
"""XLA adds one element behind the other where TensorFlow adds in blocks, so sums of thousands round further apart."""
_INSTEAD: Final = {
    "StringFormat": "print what the step returns, after the call: compiled code has no strings",
    "PrintV2": "print what the step returns, after the call: compiled code prints nothing",
    "PyFunc": "use tf ops in place of tf.numpy_function: compiled code cannot call Python",
    "IteratorGetNext": "take the batch outside of the step and pass it as an argument: compiled code cannot ask for it",
    "EagerPyFunc": "use tf ops in place of tf.py_function: compiled code cannot call Python",
}


@dataclass(slots=True, eq=False)
class Compiled:
    """What came of it."""

    verdict: Literal["same", "different", "random", "not_compiled"] = "same"
    """random: not comparable, since XLA draws other random numbers."""
    values: list[Judged] = field(default_factory=list)
    """Of the first call, against the traced one; none where they are not comparable."""
    findings: list[Found] = field(default_factory=list)
    seconds: float | None = None
    """Of one call."""
    compile_seconds: float | None = None
    """Of tracing and compiling."""


def compile_step(
    runner: Runner, traced: Side, seeds: EqualSeeds, tolerance: float | None, start: Spot
) -> Compiled:
    """Run the step compiled. traced: what the same graph gave without XLA, with the same seeds."""
    result = Compiled()
    ops = OpList(runner.places)
    side = runner.traced(seeds, watch=ops, jit=True, seconds=_SECONDS)
    if side.error is not None and not side.calls:
        result.verdict = "not_compiled"
        result.findings = _refused(side.error, ops, start)
        return result
    if side.error is None:
        result.seconds = statistics.median(side.times)
        result.compile_seconds = max(0.0, side.calls[0].seconds - result.seconds)
    result.values = judge_call(traced.calls[0], side.calls[0], 1, tolerance, _LOOSENED)
    differs = [judged for judged in result.values if judged.distance.verdict == "real"]
    if differs:
        random = ops.of_types(*_RANDOM)
        result.verdict = "random" if random else "different"
        result.values = [] if random else result.values
        result.findings.append(_random(random[0], start) if random else _different(differs, start))
    result.findings += _dropped(ops)
    return result


def _different(differs: list[Judged], start: Spot) -> Found:
    judged, more = differs[0], len(differs) - 1
    far = judged.distance.max_abs
    text = (
        f"compiled by XLA, {judged.kind} {judged.name}{f' and {more} more' if more else ''}"
        f" differ{'' if more else 's'} from the traced step beyond rounding"
        + (f" (by up to {far:.3g})" if far is not None else " (another shape or type)")
    )
    hint = "XLA computes some ops in another way or order; --tolerance sets what is rounding"
    return Found("xla-different-values", "warning", start, text, hint)


def _random(op: ListedOp, start: Spot) -> Found:
    text = f"XLA draws random numbers of its own for {op.type}{_quoted(op.spot)}, so that its values cannot be compared"
    hint = (
        "to compare them, draw the numbers outside of the step, or with tf.random.stateless_uniform(…, alg='philox');"
        " leave dropout out with training=False"
    )
    return Found("xla-random", "info", op.spot or start, text, hint)


def _dropped(ops: OpList) -> list[Found]:
    """The checks of the graph, one for each line."""
    found: dict[Spot | None, Found] = {}
    for op in ops.of_types(*_CHECKS):
        text = f"XLA drops this check, {op.type}{_quoted(op.spot)}: compiled, the step goes on where it would fail"
        hint = "check what the step returns, after the call, or leave jit_compile off while checking"
        found.setdefault(op.spot, Found("xla-drops-check", "info", op.spot, text, hint))
    return list(found.values())


def _refused(error: BaseException, ops: OpList, start: Spot) -> list[Found]:
    """What could not be compiled, and where."""
    message = str(error)
    found: dict[tuple[str, Spot | None], Found] = {}
    for type, node in _UNSUPPORTED.findall(message):
        op = ops.find(node)
        spot = op.spot if op is not None else None
        if type == "_Retval":
            text = (
                "XLA cannot compile the step: it returns what compiled code has no type for, such as a string"
            )
            hint = "return numbers from the compiled function, and make the text of them where it is called"
        else:
            text = f"XLA cannot compile {type}{_quoted(spot)}: it has no such op for this device"
            hint = _INSTEAD.get(type, "keep it outside of the compiled function, or leave jit_compile off")
        found[type, spot] = Found("xla-not-compiled", "warning", spot or start, text, hint)
    return list(found.values()) or [_other(message, type_of(error), ops, start)]


def _other(message: str, type: str, ops: OpList, start: Spot) -> Found:
    """What XLA says, at the line of the first node that it names."""
    named = (ops.find(node) for node in _NODE.findall(message))
    op = next((op for op in named if op is not None), None)
    first = next((line.strip() for line in _NOISE.sub("", message).splitlines() if line.strip()), "")
    where = f" {op.type}{_quoted(op.spot)}" if op is not None else " the step"
    text = f"XLA cannot compile{where}: {type}: {first[:300]}"
    hint = "keep it outside of the compiled function, or leave jit_compile off"
    return Found("xla-not-compiled", "warning", (op.spot if op is not None else None) or start, text, hint)


def type_of(error: BaseException) -> str:
    """The name of an exception's class."""
    return type(error).__name__


def _quoted(spot: Spot | None) -> str:
    code = linecache.getline(spot.path, spot.line).strip() if spot is not None else ""
    return f" of `{code}`" if code else ""
