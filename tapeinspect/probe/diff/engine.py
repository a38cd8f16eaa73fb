"""The comparison: the step run both ways from one state, what came of it, and what that means."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from tapeinspect.probe.autograph.trace import Traced, summed_up
from tapeinspect.probe.autograph.watch import Watch
from tapeinspect.probe.autograph.watch_cost import seconds_of
from tapeinspect.probe.diff import behaviour, loop_body, memory
from tapeinspect.probe.diff.align import RanOp, align
from tapeinspect.probe.diff.behaviour import Found
from tapeinspect.probe.diff.blame import Blame
from tapeinspect.probe.diff.conclude import conclude
from tapeinspect.probe.diff.failing import failure
from tapeinspect.probe.diff.fetch import GraphList, traced_ops
from tapeinspect.probe.diff.grappler import Rewritten, optimized
from tapeinspect.probe.diff.judge import Judged, JudgedOp, gradient_norm, judge_call, judge_ops
from tapeinspect.probe.diff.runs import Runner, Side, flatten
from tapeinspect.probe.diff.speed import SECONDS, eager_cost, traced_cost
from tapeinspect.probe.diff.stale import changed_between
from tapeinspect.probe.diff.watch import Budget, EagerWatch
from tapeinspect.probe.diff.xla import Compiled, compile_step
from tapeinspect.probe.introspect import names_in
from tapeinspect.probe.sandbox.sandbox import Sandbox, sandbox
from tapeinspect.probe.step_function import StepFunction
from tapeinspect.probe.taken import findings as taken
from tapeinspect.probe.tf_state import EqualSeeds, callbacks_aside

Verdict = Literal["same", "different", "fails_to_trace"]
_SEVERITIES: Final = ("error", "warning", "info")


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes that a call needs at most beyond what is taken before it."""

    device: str
    """Whose memory: "gpu" or "cpu"."""
    eager: int
    traced: int | None
    """None: the traced step fails."""


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
    memory: Memory | None = None
    """None: not measured, or not to be measured here."""
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
    costs: bool = True
    """Measure time and memory."""
    tell: Callable[[str], None] = lambda text: None
    """Called with what is done next, in a word or two."""
    code_done: Callable[[Traced], None] = lambda traced: None
    """Called with what AutoGraph made of a step that could be traced, long before the rest is there."""


def compare(step: StepFunction, request: Request) -> Comparison:
    """Run a step both ways and compare. Raises whatever the step raises when it is run eagerly.

    The script's state is as before when this returns.
    """
    result = Comparison()
    blame = Blame(step.function, request.role)
    with callbacks_aside(), sandbox(step.function, step.args, step.kwargs, role=request.role) as box:
        used_up = _taken(step, box, blame)
        if used_up:
            result.findings = used_up
            result.verdict = "different"
            result.notes.append("the step takes its input from an iterator itself, so it was not run again")
            return result
        runner = Runner(step, box, request.role)
        seeds = EqualSeeds()
        watch = Watch(step.code, request.role) if request.code else None
        listed = GraphList(runner.places) if request.ops else None
        timed = SECONDS if request.costs else 0.0
        begun = time.perf_counter()
        request.tell("tracing")
        traced = runner.traced(seeds, watch=listed, code=watch, seconds=timed)
        if watch is not None:
            result.code = _code(watch, request, traced, time.perf_counter() - begun)
            if traced.error is None:
                request.code_done(result.code)
        ops = _eager_watch(runner, request) if listed is not None and traced.calls else None
        gauge = memory.gauge() if request.costs else None
        request.tell("running eagerly")
        eager = runner.eager(seeds, watch=ops, gauge=gauge, seconds=timed)
        if eager.error is not None and not eager.calls:
            raise eager.error
        _note(result, box)
        if traced.error is not None:
            result.findings.append(failure(traced, eager, step, request.role, blame))
        result.findings += behaviour.compare(eager, traced, blame)
        result.findings += loop_body.findings(step, blame.start)
        result.findings += changed_between(step, request.role)
        result.findings += taken.findings(step, blame)
        result.notes += taken.notes(step)
        before = 0.0
        for number, (mine, theirs) in enumerate(zip(eager.calls, traced.calls, strict=False), 1):
            result.values += judge_call(mine, theirs, number, request.tolerance, before=before)
            before = max(before, gradient_norm(mine))
        if ops is not None and listed is not None:
            request.tell("op by op")
            _ops(result, request, ops, traced_ops(runner, traced, listed, seeds, request.memory))
        if request.costs:
            request.tell("measuring memory")
            watching = (listed.seconds if listed is not None else 0.0) + (seconds_of(watch) if watch else 0.0)
            _costs(result, runner, eager, traced, gauge, watching)
        _on_request(result, runner, request, traced, seeds, blame)
    result.first, found = conclude(result.values, result.ops, traced, eager, blame, result.findings)
    result.findings += found
    if traced.error is not None and traced.tracing:
        result.verdict = "fails_to_trace"
    elif traced.error is not None or any(f.severity != "info" for f in result.findings):
        result.verdict = "different"
    result.findings.sort(key=lambda f: _SEVERITIES.index(f.severity))
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


def _costs(
    result: Comparison,
    runner: Runner,
    eager: Side,
    traced: Side,
    gauge: memory.Gauge | None,
    watching: float,
) -> None:
    """Time and memory of both ways, as far as they run. watching: seconds of the trace that are ours."""
    if eager.error is not None:
        result.eager_seconds = eager.calls[-1].seconds
        return
    mine = eager_cost(eager)
    try:
        theirs = traced_cost(runner, traced, gauge, watching) if traced.error is None else None
        trouble = eager.trouble or traced.trouble
        if trouble is not None:
            raise trouble
    except Exception as error:  # the script's own: not every call is like the first
        result.notes.append(f"time and memory could not be measured: {describe_error(error)}")
        return
    result.eager_seconds = mine.seconds
    if theirs is not None:
        result.traced_seconds, result.trace_seconds = theirs.seconds, theirs.trace_seconds
    if gauge is not None and mine.memory is not None:
        result.memory = Memory(gauge.device, mine.memory, theirs.memory if theirs is not None else None)


def _eager_watch(runner: Runner, request: Request) -> EagerWatch:
    arguments = flatten("", [runner.step.args, runner.step.kwargs])
    given = frozenset(t._id for _, t in arguments if hasattr(t, "_id"))
    return EagerWatch(runner.places, Budget(request.memory), given)


def _ops(
    result: Comparison,
    request: Request,
    eager: EagerWatch,
    traced: list[RanOp] | BaseException,
) -> None:
    """Compare op by op."""
    if isinstance(traced, BaseException):
        text = f"the ops could not be compared one by one: {type(traced).__name__}: {traced}"
        result.notes.append(text[:300])
        return
    result.ops = judge_ops(align(eager.ops, traced), request.tolerance)


def _code(watch: Watch, request: Request, traced: Side, seconds: float) -> Traced:
    """What AutoGraph made of the code in the first trace: the one that holds no ops which hand out values."""
    error = traced.error if traced.tracing and isinstance(traced.error, Exception) else None
    took = traced.calls[0].seconds if traced.calls else seconds
    return summed_up(watch.seen, request.role, error, took)


def _on_request(
    result: Comparison, runner: Runner, request: Request, traced: Side, seeds: EqualSeeds, blame: Blame
) -> None:
    """What XLA and Grappler make of the step."""
    wanted = [name for name, asked in (("XLA", request.xla), ("Grappler", request.grappler)) if asked]
    if wanted and traced.error is not None:
        result.notes.append(f"{' and '.join(wanted)} got nothing to work on, since the traced step fails")
        return
    if request.xla:
        request.tell("compiling with XLA")
        result.compiled = compile_step(runner, traced, seeds, request.tolerance, blame.start)
        result.findings += result.compiled.findings
    if request.grappler:
        request.tell("reading what Grappler left")
        found = optimized(runner, seeds)
        if isinstance(found, str):
            result.notes.append(found)
        else:
            result.rewritten = found


def describe_error(error: Any) -> str:
    """An exception in one line."""
    return f"{type(error).__name__}: {error}".splitlines()[0]
