"""The comparison: the step run both ways from one state, what came of it, and what that means."""

from __future__ import annotations

import linecache
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from tapeinspect.probe.autograph.trace import Traced, summed_up
from tapeinspect.probe.autograph.watch import Watch
from tapeinspect.probe.diff import behaviour, loop_body
from tapeinspect.probe.diff.align import Pair, align
from tapeinspect.probe.diff.behaviour import Found
from tapeinspect.probe.diff.blame import Blame, Spot
from tapeinspect.probe.diff.failing import failure
from tapeinspect.probe.diff.grappler import Rewritten, optimized
from tapeinspect.probe.diff.judge import Judged, JudgedOp, judge_call, judge_ops
from tapeinspect.probe.diff.runs import Runner, Side, flatten
from tapeinspect.probe.diff.stale import changed_between
from tapeinspect.probe.diff.watch import Budget, EagerWatch, GraphWatch
from tapeinspect.probe.diff.xla import Compiled, compile_step
from tapeinspect.probe.introspect import names_in
from tapeinspect.probe.sandbox.sandbox import Sandbox, sandbox
from tapeinspect.probe.step_function import StepFunction
from tapeinspect.probe.tf_state import EqualSeeds, callbacks_aside

Verdict = Literal["same", "different", "fails_to_trace"]
CLOCKS: Final = (
    *(f"time.{name}{unit}" for name in ("time", "perf_counter", "monotonic", "process_time") for unit in ("", "_ns")),
    "perf_counter", "monotonic", "process_time", "datetime.now", "datetime.datetime.now", "datetime.utcnow",
)  # fmt: skip
"""Calls that tell the time, as a script writes them."""


@dataclass(slots=True, eq=False)
class Comparison:
    """All that was found out."""

    verdict: Verdict = "same"
    findings: list[Found] = field(default_factory=list)
    values: list[Judged] = field(default_factory=list)
    ops: list[JudgedOp] = field(default_factory=list)
    first: JudgedOp | None = None
    """The first op, in the order of the eager run, whose values really differ, or that one side alone has."""
    eager_seconds: float | None = None
    traced_seconds: float | None = None
    trace_seconds: float | None = None
    compiled: Compiled | None = None
    """The step compiled by XLA, where that was asked for and the step can be traced."""
    rewritten: list[Rewritten] | None = None
    """What Grappler changes, where that was asked for and can be told."""
    code: Traced | None = None
    """What AutoGraph made of the step, where that was asked for."""
    notes: list[str] = field(default_factory=list)
    """What could not be compared, or not put back, in sentences."""


@dataclass(frozen=True, slots=True)
class Request:
    """How to compare."""

    role: Callable[[str], str]
    """Whether a file is the 'user's or a 'library's."""
    memory: int = 256 << 20
    """Bytes of values that may be kept of each side."""
    tolerance: float | None = None
    """Relative tolerance in place of the one by dtype."""
    ops: bool = True
    """Compare op by op."""
    xla: bool = False
    """Compare with the step compiled by XLA, too."""
    grappler: bool = False
    """Look at what Grappler makes of the graph."""
    code: bool = False
    """Look at what AutoGraph makes of the code."""


def compare(step: StepFunction, request: Request) -> Comparison:
    """Run a step both ways and compare. Raises whatever the step raises when it is run eagerly.

    The script's state is as before when this returns.
    """
    result = Comparison()
    blame = Blame(step.function, request.role)
    with callbacks_aside(), sandbox(step.function, step.args, step.kwargs, role=request.role) as box:
        taken = _taken(step, box, blame)
        if taken:
            result.findings = taken
            result.verdict = "different"
            result.notes.append("the step takes its input from an iterator itself, so it was not run again")
            return result
        runner = Runner(step, box, request.role)
        seeds = EqualSeeds()
        traced = runner.traced(seeds)
        eager = runner.eager(seeds)
        if eager.error is not None and not eager.calls:
            raise eager.error
        _note(result, box)
        _times(result, eager, traced)
        if traced.error is not None:
            result.findings.append(failure(traced, eager, step, request.role, blame))
        result.findings += behaviour.compare(eager, traced, blame)
        result.findings += loop_body.findings(step, blame.start)
        result.findings += changed_between(step, request.role)
        for number, (mine, theirs) in enumerate(zip(eager.calls, traced.calls, strict=False), 1):
            result.values += judge_call(mine, theirs, number, request.tolerance)
        if traced.calls and request.ops:
            _ops(result, runner, request)
        if request.code:
            _code(result, runner, request)
        _on_request(result, runner, request, traced, seeds, blame)
    _conclude(result, traced, eager, blame)
    return result


def _taken(step: StepFunction, box: Sandbox, blame: Blame) -> list[Found]:
    """Iterators that the step takes its input from: eager and traced calls would each use them up."""
    code = getattr(getattr(step.function, "__func__", step.function), "__code__", None)
    names = set(names_in(code)) | set(code.co_freevars) | set(code.co_varnames) if code is not None else set()
    found = []
    for entry in (*box.consumed, *box.iterators):
        last = entry.path.replace("]", "").replace("[", ".").rpartition(".")[2]
        if last not in names:
            continue
        once = "dataset" not in entry.what.lower()
        text = f"the step takes its next input from the {entry.what} `{entry.path}`" + (
            ": the graph takes one, while tracing, and uses it in each call"
            if once
            else ", which running it again would use up"
        )
        spot = blame.change(entry.path) or blame.use(entry.path)
        hint = "take the batch outside of the step and pass it as an argument"
        found.append(Found("python-iterator", "error" if once else "info", spot, text, hint))
    return found


def _note(result: Comparison, box: Sandbox) -> None:
    for entry in box.fixed[:10]:
        result.notes.append(f"{entry.path} was not put back: {entry.what}")


def _times(result: Comparison, eager: Side, traced: Side) -> None:
    result.eager_seconds = eager.seconds or (eager.calls[-1].seconds if eager.calls else None)
    if traced.seconds is not None:
        result.traced_seconds = traced.seconds
        result.trace_seconds = max(0.0, traced.calls[0].seconds - traced.seconds)


def _ops(result: Comparison, runner: Runner, request: Request) -> None:
    """Run both once more, op by op."""
    seeds = EqualSeeds()
    graph = GraphWatch(runner.places, Budget(request.memory))
    traced = runner.traced(seeds, 1, graph)
    given = frozenset(
        t._id for _, t in flatten("", [runner.step.args, runner.step.kwargs]) if hasattr(t, "_id")
    )
    eager_watch = EagerWatch(runner.places, Budget(request.memory), given)
    eager = runner.eager(seeds, 1, eager_watch)
    trouble = traced.error or eager.error
    if trouble is not None:
        result.notes.append(
            f"the ops could not be compared one by one: {type(trouble).__name__}: {trouble}"[:300]
        )
        return
    pairs: list[Pair] = align(eager_watch.ops, graph.ops)
    result.ops = judge_ops(pairs, request.tolerance)


def _code(result: Comparison, runner: Runner, request: Request) -> None:
    """Trace once more, with AutoGraph watched.

    Of the other traces, one is timed, which watching would slow down, and one holds ops that hand out values: with
    them a branch or loop of the graph is made of other ops.
    """
    watch = Watch(runner.step.code, request.role)
    begun = time.perf_counter()
    traced = runner.traced(EqualSeeds(), 1, code=watch)
    error = traced.error if traced.tracing and isinstance(traced.error, Exception) else None
    result.code = summed_up(watch.seen, request.role, error, time.perf_counter() - begun)


def _on_request(
    result: Comparison, runner: Runner, request: Request, traced: Side, seeds: EqualSeeds, blame: Blame
) -> None:
    """What XLA and Grappler make of the step."""
    wanted = [name for name, asked in (("XLA", request.xla), ("Grappler", request.grappler)) if asked]
    if wanted and traced.error is not None:
        result.notes.append(f"{' and '.join(wanted)} got nothing to work on, since the traced step fails")
        return
    if request.xla:
        result.compiled = compile_step(runner, traced, seeds, request.tolerance, blame.start)
        result.findings += result.compiled.findings
    if request.grappler:
        found = optimized(runner, seeds)
        if isinstance(found, str):
            result.notes.append(found)
        else:
            result.rewritten = found


def _conclude(result: Comparison, traced: Side, eager: Side, blame: Blame) -> None:
    differs = [judged for judged in result.values if judged.distance.verdict == "real"]
    later = [judged for judged in differs if judged.call > 1]
    clock = blame.call(*CLOCKS) if differs else None
    if clock is not None:
        result.findings.append(_clock(clock, differs[0]))
    elif later and len(later) == len(differs):
        if not any(found.rule == "frozen-random" for found in result.findings):
            result.findings.append(_frozen(later, eager, traced, blame))
    elif differs:
        result.first = _first(result.ops)
        result.findings.append(_different(differs, result.first, blame))
    if traced.error is not None and traced.tracing:
        result.verdict = "fails_to_trace"
    elif traced.error is not None or any(f.severity != "info" for f in result.findings):
        result.verdict = "different"
    order = ("error", "warning", "info")
    result.findings.sort(key=lambda f: order.index(f.severity))


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


def describe_error(error: Any) -> str:
    """An exception in one line."""
    return f"{type(error).__name__}: {error}".splitlines()[0]
