"""Which ops make up one batch of training.

A step is one call of the function in which a tape is opened, or one turn of the loop when the tape stands inline in
a loop; Keras' `fit` gives one call of the model's `train_step`. A call or a turn counts from its first op, but it
becomes a step only when a tape is opened in it: until then it is pending.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import CodeType, FrameType
from typing import TYPE_CHECKING, Any

from tapeinspect.probe import arguments, tf_private
from tapeinspect.probe.frames import RunningFrame
from tapeinspect.probe.inline.turn import Turn
from tapeinspect.probe.loops import Loop, LoopTable
from tapeinspect.probe.sites import Site, StepPlace
from tapeinspect.probe.steplog import Step

if TYPE_CHECKING:
    from tapeinspect.probe.recorder import Recorder


@dataclass(slots=True, eq=False)
class StepCode:
    """Code known to hold steps: a function whose calls, or whose loops' turns, are batches."""

    code: CodeType
    loops: list[Loop]
    """Empty: its calls are the batches."""
    by_keras: bool = False
    """Keras' trainer calls it."""

    def around(self, line: int | None) -> tuple[Loop | None, bool]:
        """The loop around a line, and whether the line belongs to a step at all."""
        if not self.loops:
            return None, True
        loop = next((loop for loop in self.loops if loop.position(line) is not None), None)
        return loop, loop is not None


class StepRules:
    """Knows the code whose calls or turns are steps. Shared by all threads; the caller serialises."""

    def __init__(self) -> None:
        self.known: dict[int, StepCode] = {}
        """By the id of the code: equal code in two files is not the same."""
        self._outers: dict[tuple[Any, ...], tuple[Any, ...]] = {}
        self.loops = LoopTable()

    def place(self, site: Site) -> StepPlace | None:
        """Where the outermost known step stands in a site's stack."""
        stack = site.stack
        weak = None
        for depth in range(len(stack.codes), 0, -1):
            known = self.known.get(id(stack.codes[depth - 1]))
            if known is None:
                continue
            line = stack.places[depth - 1].line
            loop, inside = known.around(line)
            if not inside:
                continue
            place = self._place(site, depth, loop, loop.position(line) if loop else None)
            if loop is None or not loop.weak:
                return place
            weak = place
        return weak

    def _place(self, site: Site, depth: int, loop: Loop | None, position: int | None) -> StepPlace:
        stack = site.stack
        around = (stack.codes[depth:], stack.lastis[depth:])
        outer = self._outers.setdefault((tuple(map(id, around[0])), around[1]), around)
        inner = tuple(check for check in stack.checks if 1 < check[0] < depth)
        users = tuple(c for c in inner if c[0] == 2 or stack.places[c[0] - 1].role != "library")
        return StepPlace(depth, loop, position, stack.lastis[depth - 1], inner, users, outer)

    def locate(self, opener: FrameType, role: Any) -> tuple[FrameType, Loop | None, bool]:
        """The frame of the step that a tape opened in `opener` belongs to, its loop, and whether that is new."""
        frames = _outward(opener)
        for frame in reversed(frames):
            known = self.known.get(id(frame.f_code))
            if known is None:
                continue
            loop, inside = known.around(frame.f_lineno)
            if inside and (loop is None or not loop.weak or frame is opener):
                return frame, loop, False
        frame, loop = self._choose(frames, role)
        known = self.known.setdefault(id(frame.f_code), StepCode(frame.f_code, []))
        if loop is not None:
            known.loops.append(loop)
        known.by_keras = any(
            tf_private.is_keras_step_caller(f.f_code.co_name, f.f_code.co_filename) for f in frames
        )
        return frame, loop, True

    def _choose(self, frames: list[FrameType], role: Any) -> tuple[FrameType, Loop | None]:
        for index, frame in enumerate(frames):
            if tf_private.is_keras_step_caller(frame.f_code.co_name, frame.f_code.co_filename):
                steps = [f for f in frames[:index] if f.f_code.co_name == "train_step"]
                return (steps or frames[:index])[-1], None
        # A tape that a library opens belongs to the user's code that called it.
        user = next((frame for frame in frames if role(frame.f_code.co_filename) != "library"), frames[0])
        path = user.f_code.co_filename
        loop = self.loops.around_tape(path, user.f_lineno)
        if loop is None and user.f_code.co_name == "<module>":
            loop = self.loops.region(path, user.f_lineno)
        return user, loop


class StepTracker:
    """Follows the steps of one thread."""

    def __init__(self, recorder: Recorder, thread: int) -> None:
        self.open = False
        """A call or turn, pending or a step, runs, or has returned and nobody has noticed yet."""
        self.frame = RunningFrame()
        """The frame of that call or loop."""
        self.current: int | None = None
        """Id of the step that runs."""
        self.serial = 0
        """Grows with each call or turn, so that others notice a new one."""
        self.last: Step | None = None
        """The step that ended last."""
        self._recorder = recorder
        self._thread = thread
        self.loop: Loop | None = None
        self.position: int | None = None
        """Where in the loop the last op was."""
        self.turn: Turn | None = None
        """The turn of a loop that runs, when that can be a function."""
        self._step: Step | None = None
        self._pending_op = 0
        self._pending_ns = 0
        self._pending_spent = 0
        self._tape_at = -1

    @property
    def step(self) -> Step | None:
        """The step that runs."""
        return self._step

    def at(self, frame: FrameType, place: StepPlace, now: int) -> None:
        """An op ran in the step whose frame this is."""
        position = place.position
        if id(frame) != self.frame.key or place.loop is not self.loop:
            self._anew(frame, place.loop, position, now)
        elif position is not None:
            if self.position is not None and position < self.position:
                self._anew(frame, place.loop, position, now)
            self.position = position
            if self.turn is not None and self.turn.waits:
                self._recorder.turns.see(self.turn, frame, position)

    def _anew(self, frame: FrameType, loop: Loop | None, position: int | None, now: int) -> None:
        """Another call or turn runs."""
        self.leave(now)
        self._recorder.takes.forget()
        self._pend(frame, loop, position, now)

    def leave(self, now: int) -> None:
        """The call or turn is over, at the latest now."""
        now = self.frame.returned_ns or now
        self.open = False
        self.turn = None
        self.frame.stop()
        step, self._step, self.current = self._step, None, None
        if step is not None:
            self.last = step
            self._recorder.step_log.end(step, now)

    def waited(self, nanoseconds: int) -> None:
        """The thread has waited at the gate: leave that out of the step's time."""
        self._pending_ns += nanoseconds
        if self._step is not None:
            self._step.begun_ns += nanoseconds

    def tape_opened(self, opener: FrameType, nested: bool) -> None:
        """A tape was opened in the frame `opener`; `nested`: inside another open one."""
        now = self._recorder.guard_begun_ns
        frame = self.frame.find(opener)
        self._recorder.takes.look(frame)
        if frame is not None and self._contains(frame, opener, nested):
            if self._step is None:
                self._activate(frame, opener)
            elif (
                not nested
                and self.position is not None
                and opener is frame
                and opener.f_lasti == self._tape_at
            ):
                # the same `with` once more: the loop has turned
                self.leave(now)
                self._pend(opener, self.loop, self.loop.position(opener.f_lineno) if self.loop else None, now)
                self._activate(frame, opener)
            return
        self.leave(now)
        frame, loop, is_new = self._recorder.steps.locate(opener, self._recorder.code.role)
        self._pend(frame, loop, loop.position(frame.f_lineno) if loop else None, now)
        if is_new:
            self._recorder.resite()
            self._look_back(frame.f_code, len(_outward(frame)))
            if loop is not None:
                self.turn = self._recorder.turns.given_away(frame, loop) or self.turn
                if self.turn is not None and self.turn.body.steady and self.turn.first_op is not None:
                    self._pending_op = min(self._pending_op, self.turn.first_op)
        self._activate(frame, opener)

    def _contains(self, frame: FrameType, opener: FrameType, nested: bool) -> bool:
        """Whether a tape opened in `opener` belongs to the call or turn that runs in `frame`, on the same stack."""
        loop = self.loop
        if loop is None:
            return True
        if loop.weak and opener is not frame and not nested:
            return False
        return loop.position(frame.f_lineno) is not None

    def _pend(self, frame: FrameType, loop: Loop | None, position: int | None, now: int) -> None:
        self.open = True
        self.frame.follow(frame)
        self.loop = loop
        self.serial += 1
        self.position = position
        self._pending_op = self._recorder.sink.next_op()
        self._pending_ns = now
        self._pending_spent = self._recorder.spent
        self._recorder.takes.look(frame)
        if loop is None:
            self.frame.arguments = arguments.capture(frame)
        else:
            self.turn = self._recorder.turns.begin(frame, loop, position)

    def _look_back(self, code: CodeType, height: int) -> None:
        """Let the step begin with the ops that ran in this call or turn before the tape gave it away.

        `height`: how many frames its stack has, itself included.
        """
        position = self.position
        for op, site in self._recorder.sink.recent(self._thread):
            stack = site.stack
            index = len(stack.codes) - height
            if index < 0 or stack.codes[index] is not code:
                return
            if self.loop is not None:
                at = self.loop.position(stack.places[index].line)
                if at is None or (position is not None and at > position):
                    return
                position = at
            self._pending_op = op

    def _activate(self, frame: FrameType, opener: FrameType) -> None:
        """The pending call or turn in `frame` is a step: a tape has been opened in it."""
        recorder = self._recorder
        recorder.takes.look(frame)
        code, loop = frame.f_code, self.loop
        captured: arguments.Captured | Turn | None = self.turn
        if loop is None:
            captured = self.frame.arguments or arguments.capture(frame)
        elif self.turn is not None:
            captured = self.turn = recorder.turns.opened(self.turn, frame, loop)
        last = self.last
        if last is not None and last.first_op >= self._pending_op:
            # a helper's tape was taken for the step
            step = recorder.step_log.reopen(last, code, loop, self._pending_op, self.turn)
        else:
            step = recorder.step_log.begin(
                self._thread, code, loop, self._pending_op, self._pending_ns, self._pending_spent, captured
            )
        self.frame.arguments = None
        self._step = step
        self.current = step.id
        self._tape_at = opener.f_lasti if opener is frame else -1
        recorder.sink.assign(self._thread, self._pending_op, step.id)


def _outward(frame: FrameType | None) -> list[FrameType]:
    frames = []
    while frame is not None:
        frames.append(frame)
        frame = frame.f_back
    return frames
