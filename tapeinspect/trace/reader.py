"""Reading a trace file, live or finished: everything that views are made of."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from tapeinspect.trace.autograph import Autograph
from tapeinspect.trace.backward import Backward
from tapeinspect.trace.causes import Causes
from tapeinspect.trace.database import Database
from tapeinspect.trace.differences import Differences
from tapeinspect.trace.events import Events
from tapeinspect.trace.filters import Vocabulary, parse_filter
from tapeinspect.trace.interned import Interned
from tapeinspect.trace.loop_bodies import LoopBodies
from tapeinspect.trace.ops import Ops
from tapeinspect.trace.records import (
    BackwardCall,
    Counts,
    Edge,
    Finding,
    FunctionTrace,
    Gradient,
    GradientCall,
    Health,
    IdleDropout,
    LineCost,
    Meta,
    NoneEvidence,
    Op,
    Opaque,
    OpFilter,
    OpRow,
    OriginNote,
    ProbeError,
    Sample,
    ScriptFailure,
    SourceFile,
    Stack,
    Stats,
    Step,
    Survey,
    SurveyFact,
    Tape,
    Value,
    Variable,
    VariableStep,
    Watched,
)
from tapeinspect.trace.samples import Samples
from tapeinspect.trace.search import Search
from tapeinspect.trace.series import Series
from tapeinspect.trace.spans import BackwardSpans
from tapeinspect.trace.tracing import Tracing
from tapeinspect.trace.training import Steps, Training
from tapeinspect.trace.values import Values

__all__ = ["TraceReader", "open_trace", "parse_filter"]


def open_trace(path: str | Path) -> TraceReader:
    """Open a recording. Raises TraceError (missing, empty, truncated, foreign) and NewerFormatError."""
    return TraceReader(path)


class TraceReader:
    """A recording, which another process may still be writing. Every error is a TraceError.

    Methods may be called from several threads; a scan (`op_ids` with a filter, `line_costs`, `edges`,
    `consumers`) does not hold up the others. What lists all of something does so as of the last `refresh()`.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._database = Database(self.path)
        self._interned = Interned(self._database)
        self._spans = BackwardSpans(self._database)
        self._ops = Ops(self._database, self._interned, self._spans)
        self._steps = Steps(self._database, self._interned)
        self._training = Training(self._database, self._interned)
        self._backward = Backward(self._database, self._ops)
        self._events = Events(self._database, self._interned)
        self._values = Values(self._database)
        self.series = Series(self._database)
        """Figures of gradients, variables and updates over the steps."""
        self._tracing = Tracing(self._database, self._interned)
        self.autograph = Autograph(self._database, self._interned)
        """What AutoGraph made of the step; empty until somebody asked for it."""
        self._causes = Causes(self._database)
        self._samples = Samples(self._database)
        self.differences = Differences(self._database)
        """Where the traced step differs from the eager one; empty until somebody asked for it."""
        self.loop_bodies = LoopBodies(self._database, self._interned)
        """The functions that were made of loops' bodies, for steps that stand inline in one."""
        vocabulary = Vocabulary(self._database, self._interned)
        self._search = Search(self._database, vocabulary, self._ops, self._spans)
        self._meta: Meta | None = None
        self._version = -1
        self._counts = Counts()
        try:
            self.refresh()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the file; further calls raise TraceError."""
        self._database.close()

    def refresh(self) -> Counts:
        """Look for what has been committed since; takes less than a millisecond."""
        version = self._database.version()
        if version == self._version:
            return self._counts
        self._version = version
        self._meta = None
        for part in (self._spans, self._steps, self._training, self._interned):
            part.expire()
        row = self._database.one(
            "SELECT (SELECT max(id) FROM op), (SELECT max(id) FROM step), (SELECT max(id) FROM gradient),"
            " (SELECT count(*) FROM error), (SELECT value_json FROM meta WHERE key = 'complete')"
        )
        ops, steps, gradients, errors, complete = row or (None, None, None, 0, None)
        self._counts = Counts(ops or 0, steps or 0, gradients or 0, errors, complete == "true")
        return self._counts

    @property
    def counts(self) -> Counts:
        """How far the recording has come, as of the last `refresh()`. `ops` and the like are the last ids."""
        return self._counts

    @property
    def meta(self) -> Meta:
        """The facts of the whole run."""
        if self._meta is None:
            self._meta = self._events.meta()
        return self._meta

    def steps(self) -> Sequence[Step]:
        """Every step, in order; a list that grows with `refresh()`."""
        return self._steps.all()

    def step(self, step: int) -> Step:
        """One step. Raises KeyError."""
        return self._steps.one(step)

    def rows(self, ids: Sequence[int]) -> list[OpRow]:
        """Digests of these ops, in this order; one that is not in the file has the type "unknown"."""
        return self._ops.rows(ids)

    def op_ids(self, filter: OpFilter) -> Sequence[int]:
        """The ops that a filter lets through: a range when unfiltered or one step, else an array of ids."""
        step = None
        if filter.step is not None:
            try:
                step = self._steps.one(filter.step)
            except KeyError:
                return range(0)
        return self._search.ids(filter, step)

    def op(self, op: int) -> Op:
        """Everything about one op. Raises KeyError."""
        return self._ops.op(op)

    def stored_outputs(self, step: int) -> dict[int, int]:
        """The id of the first output by op, of the ops of a batch whose first output's value is stored."""
        return self._ops.stored_outputs(step)

    def edges(self, first: int, last: int) -> list[Edge]:
        """What each op from `first` to `last` took and made."""
        return self._ops.edges(first, last)

    def producer(self, tensor: int) -> int | None:
        """The op that made a tensor; None when no recorded op did."""
        return self._ops.producer(tensor)

    def consumers(self, tensor: int, limit: int = 100) -> list[int]:
        """The ops that took a tensor, from the op that made it to the end of the step after that op's."""
        first = self._ops.producer(tensor) or self._ops.guess(tensor) or 0
        steps = self._steps.all()
        at = bisect_left(
            steps, first, key=lambda step: self.counts.ops if step.last_op is None else step.last_op
        )
        end = steps[at + 1].last_op if at + 1 < len(steps) else None
        return self._ops.consumers(tensor, first, self.counts.ops if end is None else end, limit)

    def stack(self, stack: int) -> Stack:
        """A Python stack. Raises KeyError."""
        return self._interned.stack(stack)

    def file(self, file: int) -> SourceFile:
        """A file that frames point into. Raises KeyError."""
        return self._interned.file(file)

    def files(self) -> Sequence[SourceFile]:
        """Every file that frames point into."""
        return [self._interned.file(file) for file in self._interned.file_ids()]

    def line_costs(self, file: int, step: int | None) -> dict[int, LineCost]:
        """What each line of a file ran in one step, or in all: an op counts for each line on its stack."""
        return self._search.line_costs(file, None if step is None else self._steps.one(step))

    def calls(self, step: int) -> set[tuple[tuple[str, int], tuple[str, int]]]:
        """The user's lines (path, line) that called into other lines of the user's, with those, while ops ran."""
        found: set[tuple[tuple[str, int], tuple[str, int]]] = set()
        for stack in self._search.stacks(self._steps.one(step)):
            try:
                frames = self._interned.stack(stack).frames
            except KeyError:  # it has not been written yet
                continue
            own = [(f.path, f.line) for f in frames if f.role == "user" and f.line is not None]
            found.update((caller, called) for called, caller in pairwise(own))
        return found

    def tapes(self, step: int | None) -> list[Tape]:
        """The tapes of one step, or all, with their events."""
        return self._training.tapes(step)

    def gradient_calls(self, step: int | None) -> list[GradientCall]:
        """The calls of `tape.gradient` and the like of one step, or all."""
        return self._training.gradient_calls(step)

    @property
    def has_backward(self) -> bool:
        """The recording may tell of the backward pass op by op; False for one made without that part."""
        return self._backward.known

    def backward_calls(self, call: int) -> list[BackwardCall]:
        """What a gradient call took backward, in order; what ran inside a row, as it ends before it, precedes it."""
        return self._backward.of_call(call)

    def backward_of(self, op: int) -> list[BackwardCall]:
        """The times a forward op was taken backward: none, one, or more for a persistent tape and nested ones."""
        return self._backward.of_op(op)

    def gradient_sums(self, call: int) -> dict[int, tuple[int, ...]]:
        """The gradients that a gradient call summed, by the tensor of the sum."""
        return self._backward.sums(call)

    def gradients(self, step: int | None) -> list[Gradient]:
        """The gradients of one step, or all, in the order of calls and of each call's sources."""
        return self._training.gradients(step)

    def gradient_history(self, variable: int, last: int = 200) -> list[Gradient]:
        """The last gradients of a variable, oldest first."""
        return self._training.history(variable, last)

    def norms(self, last: int = 60) -> dict[int, list[tuple[int, float | None]]]:
        """For each variable, (step, norm of its gradient) over the last steps: sparklines."""
        return self._training.norms(last)

    def variables(self) -> list[Variable]:
        """Every variable, and every watched tensor given as a source."""
        return list(self._training.variables().values())

    def variable_steps(self, step: int) -> dict[int, VariableStep]:
        """The variables' own figures at one step, by id of the variable."""
        return self._training.variable_steps(step)

    def stats(self, tensor: int) -> Stats | None:
        """Stored figures of a tensor, or those of its stored value."""
        return self._values.stats(tensor)

    def value(self, tensor: int) -> Value | None:
        """The stored value of a tensor. Raises TraceError when it is damaged."""
        return self._values.value(tensor)

    def traces(self) -> list[FunctionTrace]:
        """The traces of `tf.function`s, in order. See `FunctionTrace.retrace`."""
        return self._tracing.traces()

    def surveys(self) -> list[Survey]:
        """Every time a step was traced to see what does not survive tracing; see `tapeinspect.analysis.survival`."""
        return self._tracing.surveys()

    def survey_facts(self, survey: int) -> list[SurveyFact]:
        """What happened in one of them."""
        return self._tracing.survey_facts(survey)

    def opaques(self) -> list[Opaque]:
        """Code that no callback reaches."""
        return self._events.opaques()

    def errors(self) -> list[ScriptFailure]:
        """The exceptions that ended the script."""
        return self._events.errors()

    def probe_errors(self) -> list[ProbeError]:
        """What failed in tapeinspect itself."""
        return self._events.probe_errors()

    def findings(self) -> list[Finding]:
        """What a user should look at."""
        return self._events.findings()

    def none_gradients(self) -> list[tuple[Gradient, int]]:
        """The first None of each source at each place that asked for it, and how often it was None there."""
        return self._training.none_gradients()

    def none_evidence(self, gradient: int) -> NoneEvidence | None:
        """What was known of a source whose gradient is None; None when nothing was taken down."""
        return self._causes.none_evidence(gradient)

    def origin(self, op: int) -> OriginNote | None:
        """What an op that made the first NaN or Inf was given; None when nothing was taken down."""
        return self._causes.origin(op)

    def bad_tensors(self, first: int, last: int) -> dict[int, Health]:
        """The tensors with NaN or Inf that came up from the op `first` to the op `last`, by id."""
        return self._causes.bad_tensors(first, last)

    def site_history(self, op: int, steps: int = 30) -> list[tuple[int, int, float | None]]:
        """(step, op, norm of its first output) of the same op in the steps before its own, oldest first.

        The same op: of the same type and stack, and as often after the begin of its step.
        """
        own = self.rows([op])[0]
        if own.step is None:
            return []
        before = [step for step in self._steps.all() if step.id <= own.step][-steps - 1 :]
        return self._causes.site_history(own, before)

    def samples(self, step: int) -> list[Sample]:
        """Figures from the forward pass of a batch that was looked at closely; none for the others."""
        return self._samples.of_step(step)

    def sampled_steps(self) -> list[int]:
        """The batches that were looked at closely."""
        return self._samples.steps()

    def idle_dropouts(self, step: int) -> list[IdleDropout]:
        """Models that a batch called without `training`, so that the dropout in them does nothing."""
        return self._samples.idle_dropouts(step)

    def watched(self) -> list[Watched]:
        """The variables that tapes watched in those batches."""
        return self._samples.watched()

    def threads(self) -> dict[int, str]:
        """Names of the threads, by id."""
        return self._events.threads()
