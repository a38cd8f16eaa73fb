"""What values that differ mean: where the difference begins, and what it comes from."""

from __future__ import annotations

import linecache
from collections.abc import Sequence
from typing import Final

from tapeinspect.probe.diff.behaviour import Found
from tapeinspect.probe.diff.blame import Blame, Spot
from tapeinspect.probe.diff.judge import Judged, JudgedOp
from tapeinspect.probe.diff.runs import Side

_CLOCKS: Final = (
    *(f"time.{name}{unit}" for name in ("time", "perf_counter", "monotonic", "process_time") for unit in ("", "_ns")),
    "perf_counter", "monotonic", "process_time", "datetime.now", "datetime.datetime.now", "datetime.utcnow",
)  # fmt: skip
"""Calls that tell the time, as a script writes them."""


def conclude(
    values: Sequence[Judged],
    ops: list[JudgedOp],
    traced: Side,
    eager: Side,
    blame: Blame,
    known: Sequence[Found],
) -> tuple[JudgedOp | None, list[Found]]:
    """The first op that differs, and a finding on the values that do. known: what was found otherwise."""
    differs = [judged for judged in values if judged.distance.verdict == "real"]
    if not differs:
        return None, []
    clock = blame.call(*_CLOCKS)
    if clock is not None:
        return None, [_clock(clock, differs[0])]
    later = [judged for judged in differs if judged.call > 1]
    if len(later) == len(differs):
        explained = any(found.rule == "frozen-random" for found in known)
        return None, [] if explained else [_frozen(later, eager, traced, blame)]
    first = _first(ops)
    return first, [_different(differs, first, blame)]


def _first(ops: list[JudgedOp]) -> JudgedOp | None:
    """The first op whose values really differ; where none does, the first that one side alone has."""
    real = (op for op in ops if op.distance is not None and op.distance.verdict == "real")
    alone = (op for op in ops if op.pair.relation in ("eager", "traced"))
    return next(real, None) or next(alone, None)


def _frozen(later: list[Judged], eager: Side, traced: Side, blame: Blame) -> Found:
    """The first call agrees and a later one does not: the graph holds something as it was while tracing."""
    mine = {
        c.path for c in eager.calls[min(1, len(eager.calls) - 1)].changes if c.kind in ("python", "random")
    }
    still = {c.path for c in traced.calls[min(1, len(traced.calls) - 1)].changes}
    stale = sorted(mine - still)
    used = next((spot for path in stale if (spot := blame.use(path)) is not None), None)
    names = ", ".join(f"`{path}`" for path in stale[:3])
    why = f"; the graph holds {names} as of the time of tracing" if names else ""
    judged = later[0]
    return Found(
        "frozen-value",
        "error",
        used or blame.start,
        f"the first call agrees, but from call {judged.call} on {judged.kind} {judged.name} differs{_by(judged)}{why}",
        "keep what changes between calls in a tf.Variable, or pass it to the step as a tensor",
    )


def _clock(spot: Spot, judged: Judged) -> Found:
    code = linecache.getline(spot.path, spot.line).strip()
    text = (
        f"`{code}` asks for the time in each eager call; the graph holds that of tracing, so that {judged.kind}"
        f" {judged.name} differs{_by(judged)}"
    )
    hint = "take the time where the step is called, or use tf.timestamp()"
    return Found("frozen-time", "error", spot, text, hint)


def _different(differs: list[Judged], first: JudgedOp | None, blame: Blame) -> Found:
    spot, where = blame.start, ""
    if first is not None and first.pair.op.path is not None and first.pair.op.line is not None:
        spot = Spot(first.pair.op.path, first.pair.op.line)
        code = linecache.getline(spot.path, spot.line).strip()
        only = {"eager": ", which only the eager run has,", "traced": ", which only the graph has,"}
        alone = only.get(first.pair.relation, "")
        where = f"; the first op that differs is the {first.pair.op.type}{alone} in `{code}`"
    judged = differs[0]
    others = len({(d.kind, d.name) for d in differs}) - 1
    more = f" and {others} more" if others else ""
    text = (
        f"{judged.kind} {judged.name}{more} differ{'' if more else 's'} beyond rounding{_by(judged)}{where}"
    )
    return Found("different-values", "error", spot, text, _cause(first))


def _cause(first: JudgedOp | None) -> str:
    """Where to look for the cause of a difference in values."""
    if first is None:
        return "compare the ops one by one: tapeinspect diff --only ops"
    pair = first.pair
    if pair.eager is None or pair.traced is None:
        return (
            "the code takes another way while it is traced: look for tf.executing_eagerly(), for Python conditions on"
            " values that a graph does not have, and for what is read from Python's state"
        )
    if pair.op.type.startswith(
        ("Random", "Stateless", "Multinomial", "TruncatedNormal", "ParameterizedTruncated")
    ):
        return "a random op that draws in another order or with other seeds when traced: give it a tf.random.Generator"
    if pair.eager.dtype != pair.traced.dtype:
        return f"eager computes in {pair.eager.dtype}, the graph in {pair.traced.dtype}: use tf.cast to choose one"
    if pair.eager.shape != pair.traced.shape:
        return f"the shapes differ: {pair.eager.shape} eagerly, {pair.traced.shape} in the graph"
    return "one of its inputs was another Python value while tracing, or the op itself is not deterministic"


def _by(judged: Judged) -> str:
    far = judged.distance
    return f" (by up to {far.max_abs:.3g})" if far.max_abs is not None else " (another shape or type)"
