"""What tapes did and recorded, as rows of the trace."""

from __future__ import annotations

import weakref
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from tapeinspect.probe import tf_private
from tapeinspect.probe.code import CodeTable
from tapeinspect.probe.gradients import VariableTable
from tapeinspect.probe.sink import OUTPUT, TAPE, WIDTH, Sink
from tapeinspect.probe.sites import FLOATS, Site

_FOLLOWED = frozenset({*FLOATS, "resource", "variant"})


@dataclass(slots=True, eq=False)
class OpenTape:
    """A tape that has been opened."""

    id: int
    watch_accessed: bool
    persistent: bool
    parent: int | None
    step: int | None
    thread: int
    stack: int
    first_op: int
    tape: weakref.ref[Any]
    """The `tf.GradientTape`."""
    watched: set[int] = field(default_factory=set)
    """Ids of watched tensors and of the handles of watched variables."""
    recorded: set[int] = field(default_factory=set)
    """Ids of tensors that depend on a watched one, as far as `followed`."""
    followed: int = 0
    """The last op that was looked at for `recorded`."""


class TapeLog:
    """Writes down what happens to tapes. The caller serialises."""

    def __init__(self, sink: Sink, code: CodeTable, variables: VariableTable) -> None:
        self._sink = sink
        self._code = code
        self._variables = variables

    def opened(
        self, tape: Any, parent: OpenTape | None, step: int | None, thread: int, opener: Any
    ) -> OpenTape:
        """A tape has been opened for the first time."""
        known = OpenTape(
            id=self._sink.next_id("tape"),
            watch_accessed=bool(tape._watch_accessed_variables),
            persistent=bool(tape._persistent),
            parent=parent.id if parent else None,
            step=step,
            thread=thread,
            stack=self._code.stack(opener).id,
            first_op=self._sink.next_op(),
            tape=weakref.ref(tape),
        )
        self._write(known, None)
        return known

    def closed(self, tape: OpenTape) -> None:
        """A tape's `with` block is over."""
        self._write(tape, self._sink.next_op() - 1)

    def _write(self, tape: OpenTape, last: int | None) -> None:
        row = (tape.id, tape.step, tape.thread, tape.parent, int(tape.persistent), int(tape.watch_accessed))
        self._sink.add("tape", (*row, tape.stack, tape.first_op, last))

    def event(self, tape: OpenTape, event: str, frame: Any, time_us: int, tensor: int | None = None) -> None:
        """Something happened to a tape."""
        stack = self._code.stack(frame).id
        variable = self._variables.by_handle.get(tensor) if tensor is not None else None
        row = (
            self._sink.next_id("tape_event"),
            tape.id,
            event,
            self._sink.next_op() - 1,
            stack,
            time_us,
            tensor,
        )
        self._sink.add("tape_event", (*row, variable.id if variable else None))

    def which(self, tapes: list[OpenTape], site: Site, inputs: Any, outputs: Any) -> int:
        """The innermost of several open tapes that records an op; the others are written down."""
        ids = {t._id for t in inputs}
        known: set[int] = set()
        recording = []
        for tape in reversed(tapes):
            follows = ids & self.follow(tape) or ids & tape.watched
            known.update(follows)
            if follows or (site.type == "ReadVariableOp" and tape.watch_accessed):
                recording.append(tape)
        if self._reads_variable(t for t in inputs if t._id not in known):
            accessed = [t for t in reversed(tapes) if t.watch_accessed or t in recording]
            recording = accessed or [t for t in reversed(tapes) if t.watched]
        recording = recording or tapes[-1:]
        made = [t._id for t, dtype in zip(outputs, site.dtypes, strict=True) if dtype in _FOLLOWED]
        for tape in recording:
            tape.recorded.update(made)
        op = self._sink.next_op()
        self._sink.add("op_tape", *((op, tape.id) for tape in recording[1:]))
        return recording[0].id

    def record_whole(self, tapes: list[OpenTape], inputs: Any, outputs: Any) -> list[int]:
        """The tapes, innermost first, that record a function with a gradient of its own."""
        possible = tf_private.possible_gradient_types()
        inputs = tuple(t for t in inputs if hasattr(t, "_id"))
        if not possible(inputs):
            return []
        ids = {t._id for t in inputs}
        reads = any(t.dtype.name == "resource" and possible((t,)) for t in inputs)
        recording = [
            tape
            for tape in reversed(tapes)
            if len(tapes) == 1
            or ids & self.follow(tape)
            or ids & tape.watched
            or (reads and tape.watch_accessed)
        ]
        for tape in recording:
            tape.recorded.update(t._id for t in outputs)
        return [tape.id for tape in recording]

    def _reads_variable(self, tensors: Iterable[Any]) -> bool:
        """Whether one of the tensors, which no recorded op made, is a variable's value.

        An op that takes a variable as it is reads it by itself, and no callback hears of that; the tapes do.
        """
        possible = tf_private.possible_gradient_types()
        return any(possible((tensor,)) for tensor in tensors)

    def follow(self, tape: OpenTape) -> set[int]:
        """Ids of the tensors a tape follows, brought up to the last op."""
        buffer, sites, written = self._sink.buffer, self._sink.sites, self._sink.written
        for i in range(max(0, tape.followed - written) * WIDTH, len(buffer), WIDTH):
            if buffer[i + TAPE] == tape.id:
                made, dtypes = buffer[i + OUTPUT], sites[i // WIDTH].dtypes
                tape.recorded.update(made + k for k, dtype in enumerate(dtypes) if dtype in _FOLLOWED)
        tape.followed = self._sink.count
        return tape.recorded

    def forget(self, tape: OpenTape) -> None:
        """The tape was reset."""
        tape.watched.clear()
        tape.recorded.clear()
        tape.followed = self._sink.next_op() - 1
