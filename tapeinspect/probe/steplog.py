"""Steps as rows of the trace."""

from __future__ import annotations

import json
from dataclasses import dataclass
from types import CodeType
from typing import TYPE_CHECKING, Any

from tapeinspect.probe import arguments
from tapeinspect.probe.inline.turn import Turn
from tapeinspect.probe.loops import Loop
from tapeinspect.probe.sink import STEP, TOOK, WIDTH
from tapeinspect.probe.taken.log import Taken

if TYPE_CHECKING:
    from tapeinspect.probe.recorder import Recorder
    from tapeinspect.probe.tracing.graph_arguments import Called
    from tapeinspect.probe.tracing.graphs import Origin


_KEPT = 16
"""Steps whose arguments are kept at most."""


@dataclass(slots=True, eq=False)
class Step:
    """A step that runs."""

    id: int
    thread: int
    code: CodeType
    loop: Loop | None
    first_op: int
    begun_ns: int
    spent_before: int
    args: list[dict[str, Any]]
    kept: dict[str, Any]
    """What the arguments were, so that the step can be run again."""
    free: dict[str, int]
    """Ids of what the variables of enclosing functions held: see `arguments.Captured`."""
    by_keras: bool = False
    """Keras' `fit` traced it, with AutoGraph switched off."""
    by_type: bool = False
    """Of tensors among the arguments, only the types are known."""
    turn: Turn | None = None
    """What the names of the loop held, when the step is a turn of one."""
    taken: Taken | None = None
    """What it took from iterators, once it has ended."""
    loss: float | None = None
    loss_is_outer: bool = False
    """The loss is the target of an outermost tape."""


class StepLog:
    """Writes down steps. The caller serialises."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self.begun = 0
        self.ended = 0
        self.loss: float | None = None
        """Of the last step that had one."""
        self._kept: dict[int, Step] = {}
        """The latest steps that have ended, as many as the memory for their arguments allows."""
        self._kept_bytes: dict[int, int] = {}
        self.overhead: float | None = None
        """(seconds with recording) / (seconds without) of the last step."""

    def begin(
        self,
        thread: int,
        code: CodeType,
        loop: Loop | None,
        first: int,
        at: int,
        spent: int,
        given: arguments.Captured | Turn | None,
    ) -> Step:
        """A step has begun, with the op `first`, at the nanosecond `at`.

        given: the arguments of the call, or the turn of the loop, None for one that is not followed.
        """
        self.begun += 1
        turn = given if isinstance(given, Turn) else None
        call = given if isinstance(given, arguments.Captured) else arguments.Captured({}, frozenset())
        kept = arguments.keep(call, self._recorder.config.memory // 4) if turn is None else turn.kept()
        shown = arguments.describe(call, self._recorder.config.values != "off")
        if turn is not None:
            shown = turn.shown()
        step = Step(
            self.begun, thread, code, loop, first, at, spent, shown, kept, call.free, turn=turn
        )  # fmt: skip
        self._write(step, None)
        return step

    def reopen(self, step: Step, code: CodeType, loop: Loop | None, first: int, turn: Turn | None) -> Step:
        """A step that seemed over goes on: what had been taken for it was a part."""
        step.code, step.loop, step.first_op, step.turn = code, loop, first, turn
        return step

    def end(self, step: Step, now: int) -> None:
        """A step is over."""
        self._recorder.updates.finish()
        taken = self._recorder.takes.claim(step.thread, step.first_op)
        if step.taken is not None:
            step.taken.add(taken)
        else:
            step.taken = taken
        self._write(step, now)
        if step.loss is not None:
            self.loss = step.loss
        self._keep(step)
        self._over(step.id)

    def kept(self, step: int | None) -> Step | None:
        """A step that has ended and whose arguments are kept; the newest for None."""
        if step is None:
            return next(reversed(self._kept.values()), None)
        return self._kept.get(step)

    def kept_ids(self) -> list[int]:
        """The steps whose arguments are kept, oldest first."""
        return list(self._kept)

    def _keep(self, step: Step) -> None:
        self._kept[step.id] = step
        self._kept_bytes[step.id] = arguments.size(step.kept)
        if step.taken is not None:
            self._kept_bytes[step.id] += arguments.size(step.taken.kept())
        budget = self._recorder.config.memory // 4
        while len(self._kept) > _KEPT or (len(self._kept) > 1 and sum(self._kept_bytes.values()) > budget):
            oldest = next(iter(self._kept))
            del self._kept[oldest], self._kept_bytes[oldest]

    def ran_graph(self, thread: int, origin: Origin, called: Called | None, now: int) -> int:
        """The op before the next one ran a graph in which a tape was traced: one batch.

        called: the function and its arguments, when they are known.
        """
        recorder = self._recorder
        self.begun += 1
        op = recorder.sink.next_op() - 1
        took: int = recorder.sink.buffer[TOOK - WIDTH]
        where = (self.begun, "call", origin.function, origin.file, origin.line, thread, op, op, 1)
        args: list[dict[str, Any]] = []
        if called is not None:
            args = called.args
            self._keep_graph(thread, op, called)
        about = (recorder.microseconds(now - took), took / 1e9, None, json.dumps(args), None)
        recorder.sink.add("step", (*where, *about))
        recorder.sink.buffer[STEP - WIDTH] = self.begun
        self._over(self.begun)
        return self.begun

    def _keep_graph(self, thread: int, op: int, called: Called) -> None:
        self._keep(
            Step(
                self.begun, thread, called.code, None, op, 0, 0, called.args, called.kept, called.free,
                by_keras=called.by_keras, by_type=called.by_type,
            )
        )  # fmt: skip

    def _over(self, step: int) -> None:
        self.ended = max(self.ended, step)
        self._recorder.sink.flush()
        self._recorder.tick()
        self._recorder.gate.step_ended(step)

    def _write(self, step: Step, now: int | None) -> None:
        recorder = self._recorder
        sink, loop = recorder.sink, step.loop
        line = step.code.co_firstlineno if loop is None else loop.line
        kind = "call" if loop is None or loop.weak else "turn"
        file = recorder.code.file(step.code.co_filename)
        where = (
            step.id,
            kind,
            step.code.co_name.removeprefix("tf__"),
            file,
            line,
            step.thread,
            step.first_op,
        )
        last = seconds = overhead = None
        ops = sink.next_op() - step.first_op
        if now is not None:
            last = max(step.first_op, sink.next_op() - 1)
            ops = sink.ops_of(step.id)
            wall = max(1, now - step.begun_ns)
            own = max(1, wall - (recorder.spent - step.spent_before))
            seconds, overhead = own / 1e9, wall / own
            self.overhead = overhead
        begun = recorder.microseconds(step.begun_ns)
        sink.add("step", (*where, last, ops, begun, seconds, step.loss, json.dumps(step.args), overhead))
