"""The values that a loop's names had when a turn of it began, taken down while it runs."""

from __future__ import annotations

import _thread
import collections
from dataclasses import dataclass, field
from types import CodeType, FrameType
from typing import TYPE_CHECKING, Any, Final

from tapeinspect.probe import arguments
from tapeinspect.probe.code import CallStack
from tapeinspect.probe.frames import locals_of
from tapeinspect.probe.inline.body import LoopBody
from tapeinspect.probe.inline.statements import path_to
from tapeinspect.probe.loops import Loop, LoopTable

if TYPE_CHECKING:
    from tapeinspect.probe.recorder import Recorder

_CONTAINERS: Final = (list, dict, set, collections.deque)
_COPIED: Final = 64
"""Items of a container that is kept item by item; a larger one is looked up when it is wanted."""


@dataclass(frozen=True, slots=True)
class Same:
    """A container of the script's, to be found under its name as long as that means this one."""

    id: int


@dataclass(slots=True, eq=False)
class Turn:
    """A turn of a loop. Of tensors and plain values it has the values, of objects weak references."""

    body: LoopBody
    scope: dict[str, Any]
    """The globals of the code that the loop stands in."""
    code: CodeType
    with_values: bool
    """Python values may be shown, not only their types."""
    early: dict[str, Any] = field(default_factory=dict)
    """What names had before the first statement of the function that the body makes."""
    looked_early: frozenset[str] = frozenset()
    inside: dict[str, Any] = field(default_factory=dict)
    """What they had in the midst of it, at `line`."""
    looked_inside: frozenset[str] = frozenset()
    line: int = 0
    position: int = 0
    ids: dict[str, int] = field(default_factory=dict)
    """Of the values, to tell whether they are still the same."""
    first_op: int | None = None
    """The first op that was seen in it, when it was not yet known to be a step."""
    described: dict[str, dict[str, Any]] = field(default_factory=dict)
    """The values as `arguments.describe` has them."""

    @property
    def waits(self) -> bool:
        """The turn has not yet come to the statements that the function consists of."""
        return not self.line

    def see(self, frame: FrameType, position: int, budget: int) -> None:
        """Take down what is there. position: the number of the statement that runs, 0 for the loop's head."""
        body = self.body
        if position <= body.first:
            if not self.looked_early:
                self.looked_early = frozenset(body.early(position))
                self.early = self._values(frame, self.looked_early, budget)
            return
        self.line, self.position = frame.f_lineno, position
        names = set(body.needs()) - self.looked_early
        if position - 1 <= body.tape:  # should the function have to begin here
            names.update(body.needs(position - 1))
        self.looked_inside = frozenset(names)
        self.inside = self._values(frame, self.looked_inside, budget)

    def is_of_before(self, now: Turn) -> bool:
        """Whether this is another turn than the one that `now` was taken of, where the tape is opened."""
        return not self.body.steady or any(
            self.ids.get(name) != now.ids.get(name)
            for name in self.looked_early | self.looked_inside
            if name in now.looked_inside and not self.body.overwritten(self.body.first, now.line, name)
        )

    def kept(self) -> dict[str, Any]:
        """All that is held, for its size to be counted."""
        return {**self.inside, **self.early}

    def shown(self) -> list[dict[str, Any]]:
        """What changes with each batch, as `arguments.describe` has arguments, for the trace."""
        body, found = self.body, []
        for name in body.in_order(body.needs()):
            entry = self.described.get(name)
            if entry is None or name not in body.bound:
                continue
            known = name in self.looked_early or not body.overwritten(body.first, self.line, name)
            found.append({**entry, "exact": known})
        return found

    def _values(self, frame: FrameType, names: frozenset[str], budget: int) -> dict[str, Any]:
        if not names:
            return {}
        optimized = frame.f_code.co_flags & 1
        local = locals_of(frame) if optimized else frame.f_locals
        values = {}
        for name in names:
            if name in local:
                values[name] = local[name]
            elif name in self.scope:
                values[name] = self.scope[name]
        shown = arguments.describe(arguments.Captured(values, frozenset()), self.with_values)
        self.described.update((entry["name"], entry) for entry in shown)
        self.ids.update((name, id(value)) for name, value in values.items())
        plain = {name: value for name, value in values.items() if not _is_large(value)}
        large = {name: Same(id(value)) for name, value in values.items() if _is_large(value)}
        return {**arguments.keep(arguments.Captured(plain, frozenset()), budget), **large}


def _is_large(value: Any) -> bool:
    kind = type(value)
    return kind in _CONTAINERS and (kind not in (list, dict) or len(value) > _COPIED)


@dataclass(slots=True, eq=False)
class _Early:
    """A turn of a loop that no tape has given away yet."""

    frame: int
    """Its id."""
    loop: Loop
    turn: Turn
    position: int


class Turns:
    """Takes down what turns of loops begin with. The caller serialises."""

    def __init__(self, recorder: Recorder, table: LoopTable) -> None:
        self._recorder = recorder
        self._table = table
        self._bodies: dict[tuple[str, Loop], LoopBody | None] = {}
        self._early: dict[int, _Early] = {}
        """By thread."""
        self._off = False

    def body(self, path: str, loop: Loop) -> LoopBody | None:
        """What is known of a loop's body; None for what is no loop."""
        key = (path, loop)
        if key not in self._bodies:
            tree = self._table.tree(path)
            around = path_to(tree, loop) if tree is not None and not loop.weak else None
            self._bodies[key] = LoopBody(path, loop, around) if around is not None else None
        return self._bodies[key]

    def begin(self, frame: FrameType, loop: Loop, position: int | None) -> Turn | None:
        """A turn of a loop that is known begins."""
        if self._off:
            return None
        try:
            body = self.body(frame.f_code.co_filename, loop)
            if body is None or body.refusal:
                return None
            turn = Turn(body, frame.f_globals, frame.f_code, self._recorder.config.values != "off")
            turn.see(frame, position or 0, self._budget)
            return turn
        except Exception as error:
            self._fail(error)
            return None

    def see(self, turn: Turn, frame: FrameType, position: int) -> None:
        """The turn has come to another statement."""
        if self._off or not turn.waits:
            return
        try:
            turn.see(frame, position, self._budget)
        except Exception as error:
            self._fail(error)

    def fresh(self, stack: CallStack, leaf: FrameType, op: int) -> None:
        """An op ran where none had before: it may be in a turn of a loop that is not known yet to hold steps."""
        if self._off:
            return
        for depth in range(len(stack.places) - 1, -1, -1):
            place = stack.places[depth]
            if place.role != "user" or place.line is None:
                continue
            for loop in self._table.of_file(place.path):
                position = loop.position(place.line)
                if position is not None:
                    self._take_down(_outward(leaf, depth), loop, position, op)
                    return

    def _take_down(self, frame: FrameType, loop: Loop, position: int, op: int) -> None:
        thread = _thread.get_ident()
        known = self._early.get(thread)
        if (
            known is not None
            and known.frame == id(frame)
            and known.loop == loop
            and known.position <= position
        ):
            known.position = position
            self.see(known.turn, frame, position)
            return
        self._early.pop(thread, None)
        turn = self.begin(frame, loop, position)
        if turn is not None:
            turn.first_op = op
            self._early[thread] = _Early(id(frame), loop, turn, position)

    def given_away(self, frame: FrameType, loop: Loop) -> Turn | None:
        """What is known of the turn that runs, now that a tape shows the turns of its loop to be steps."""
        known = self._early.pop(_thread.get_ident(), None)
        same = known is not None and known.frame == id(frame) and known.loop == loop
        return known.turn if known is not None and same else None

    def opened(self, turn: Turn, frame: FrameType, loop: Loop) -> Turn | None:
        """A tape is opened in the turn: what is known of it, or what can be told here when another one was meant."""
        position = loop.position(frame.f_lineno) or 0
        if turn.line == frame.f_lineno:
            return turn
        now = self.begin(frame, loop, position)
        if now is None or turn.is_of_before(now):
            return now
        if turn.waits:
            self.see(turn, frame, position)
        return turn

    @property
    def _budget(self) -> int:
        return self._recorder.config.memory // 4

    def _fail(self, error: Exception) -> None:
        self._off = True
        self._recorder.trouble("what a loop's names hold", error)


def _outward(frame: FrameType, depth: int) -> FrameType:
    for _ in range(depth):
        assert frame.f_back is not None
        frame = frame.f_back
    return frame
