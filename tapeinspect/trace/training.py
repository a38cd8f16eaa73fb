"""Queries about training: steps, tapes, gradient calls, gradients, variables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final, Literal

from tapeinspect.trace import decode
from tapeinspect.trace.database import Database, Row
from tapeinspect.trace.interned import Interned
from tapeinspect.trace.records import (
    Gradient,
    GradientCall,
    Step,
    Tape,
    TapeEvent,
    Variable,
    VariableStep,
)

_EVENTS: Final[dict[str, Any]] = {
    event: event for event in ("enter", "exit", "watch", "stop_recording", "resume", "reset")
}
_STEP: Final = (
    "SELECT id, kind, function, file, line, thread, first_op, last_op, ops, time_us, seconds, loss,"
    " args_json, overhead FROM step"
)
_GRADIENT: Final = (
    "SELECT id, call, step, variable, form, tensor, norm, min, max, mean, nan, inf, zeros, rows FROM gradient"
)
_BATCH: Final = 500


class Steps:
    """The steps, read once; those that were running are read again."""

    def __init__(self, database: Database, interned: Interned) -> None:
        self._database = database
        self._interned = interned
        self._steps: list[Step] = []
        self._index: dict[int, int] = {}
        self._running: list[int] = []
        self._stale = True

    def expire(self) -> None:
        """Read what came since when it is next needed."""
        self._stale = True

    def all(self) -> Sequence[Step]:
        """Every step, in order."""
        if self._stale:
            last = self._steps[-1].id if self._steps else 0
            marks = ",".join("?" * len(self._running))
            rows = self._database.rows(
                f"{_STEP} WHERE id > ? OR id IN ({marks}) ORDER BY id", (last, *self._running)
            )
            for row in rows:
                self._put(self._step(row))
            self._running = [row[0] for row in rows if row[7] is None][-_BATCH:]
            self._stale = False
        return self._steps

    def one(self, step: int) -> Step:
        """One step; KeyError when there is none of this id."""
        steps = self.all()
        return steps[self._index[step]]

    def _put(self, step: Step) -> None:
        if step.id in self._index:
            self._steps[self._index[step.id]] = step
        else:
            self._index[step.id] = len(self._steps)
            self._steps.append(step)

    def _step(self, row: Row) -> Step:
        file = decode.maybe_whole(row[3])
        return Step(
            id=row[0],
            kind="turn" if row[1] == "turn" else "call",
            function=decode.text(row[2]),
            file=file,
            path=None if file is None else self._interned.path(file),
            line=decode.maybe_whole(row[4]),
            thread=decode.whole(row[5]),
            first_op=decode.whole(row[6]),
            last_op=decode.maybe_whole(row[7]),
            ops=decode.whole(row[8]),
            time_us=decode.whole(row[9]),
            seconds=decode.maybe_real(row[10]),
            loss=decode.maybe_loss(row[11]),
            args=decode.arguments(row[12]),
            overhead=decode.maybe_real(row[13]),
        )


class Training:
    """Tapes, gradients and variables. `step` None means the whole recording."""

    def __init__(self, database: Database, interned: Interned) -> None:
        self._database = database
        self._interned = interned
        self._variables: dict[int, Variable] = {}
        self._stale = True

    def expire(self) -> None:
        """Read the variables again when they are next needed."""
        self._stale = True

    def tapes(self, step: int | None) -> list[Tape]:
        """The tapes of a step, each with its events."""
        where, parameters = _of_step(step)
        rows = self._database.rows(
            "SELECT id, step, thread, parent, persistent, watch_accessed, stack, first_op, last_op FROM tape"
            f"{where} ORDER BY id",
            parameters,
        )
        events = self._events([row[0] for row in rows])
        self._interned.places(decode.whole(row[6]) for row in rows)
        return [self._tape(row, events.get(row[0], [])) for row in rows]

    def _tape(self, row: Row, events: list[TapeEvent]) -> Tape:
        place = self._interned.place(decode.whole(row[6]))
        return Tape(
            id=row[0],
            step=decode.maybe_whole(row[1]),
            thread=decode.whole(row[2]),
            parent=decode.maybe_whole(row[3]),
            persistent=bool(row[4]),
            watch_accessed=bool(row[5]),
            stack=decode.whole(row[6]),
            path=place.path,
            line=place.line,
            first_op=decode.maybe_whole(row[7]),
            last_op=decode.maybe_whole(row[8]),
            events=tuple(events),
        )

    def _events(self, tapes: list[int]) -> dict[int, list[TapeEvent]]:
        events: dict[int, list[TapeEvent]] = {}
        rows: list[Row] = []
        for start in range(0, len(tapes), _BATCH):
            part = tapes[start : start + _BATCH]
            rows += self._database.rows(
                "SELECT id, tape, event, op, stack, time_us, tensor, variable FROM tape_event"
                f" WHERE tape IN ({','.join('?' * len(part))}) ORDER BY id",
                part,
            )
        places = self._interned.places(decode.whole(row[4]) for row in rows)
        for row in rows:
            place = places.get(decode.whole(row[4]))
            event = TapeEvent(
                id=row[0],
                event=_EVENTS.get(row[2], "enter"),
                op=decode.whole(row[3]),
                stack=decode.whole(row[4]),
                line=place.line if place else None,
                time_us=decode.whole(row[5]),
                tensor=decode.maybe_whole(row[6]),
                variable=decode.maybe_whole(row[7]),
            )
            events.setdefault(row[1], []).append(event)
        return events

    def gradient_calls(self, step: int | None) -> list[GradientCall]:
        """The calls of `tape.gradient` and the like."""
        where, parameters = _of_step(step)
        rows = self._database.rows(
            "SELECT id, tape, step, method, stack, targets_json, first_op, last_op, seconds, error"
            f" FROM gradient_call{where} ORDER BY id",
            parameters,
        )
        self._interned.places(decode.whole(row[4]) for row in rows)
        return [self._call(row) for row in rows]

    def _call(self, row: Row) -> GradientCall:
        place = self._interned.place(decode.whole(row[4]))
        return GradientCall(
            id=row[0],
            tape=decode.whole(row[1]),
            step=decode.maybe_whole(row[2]),
            method=decode.text(row[3]),
            stack=decode.whole(row[4]),
            path=place.path,
            line=place.line,
            targets=decode.ids(row[5]),
            first_op=decode.maybe_whole(row[6]),
            last_op=decode.maybe_whole(row[7]),
            seconds=decode.maybe_real(row[8]),
            error=decode.maybe_text(row[9]),
        )

    def gradients(self, step: int | None) -> list[Gradient]:
        """Gradients in the order of calls, and of each call's sources."""
        where, parameters = _of_step(step)
        return self._gradients(self._database.rows(f"{_GRADIENT}{where} ORDER BY call, id", parameters))

    def history(self, variable: int, last: int) -> list[Gradient]:
        """The last gradients of one variable, oldest first."""
        rows = self._database.rows(
            f"{_GRADIENT} WHERE variable = ? ORDER BY id DESC LIMIT ?", (variable, max(0, last))
        )
        return self._gradients(reversed(rows))

    def none_gradients(self) -> list[tuple[Gradient, int]]:
        """The first None of each source at each place that asked for it, and how often it was None there."""
        rows = self._database.rows(
            "SELECT min(g.id), count(*) FROM gradient g LEFT JOIN gradient_call c ON c.id = g.call"
            " WHERE g.form = 'none' GROUP BY g.variable, c.stack ORDER BY 1"
        )
        times = {decode.whole(first): decode.whole(count) for first, count in rows}
        found: list[tuple[Gradient, int]] = []
        ids = list(times)
        for start in range(0, len(ids), _BATCH):
            part = ids[start : start + _BATCH]
            marks = ",".join("?" * len(part))
            chosen = self._database.rows(f"{_GRADIENT} WHERE id IN ({marks}) ORDER BY id", part)
            found += [(gradient, times[gradient.id]) for gradient in self._gradients(chosen)]
        return found

    def norms(self, last: int) -> dict[int, list[tuple[int, float | None]]]:
        """For each variable, (step, norm of its gradient) over the last steps that have gradients."""
        rows = self._database.rows(
            "SELECT variable, step, norm FROM gradient"
            " WHERE step > (SELECT max(step) FROM gradient) - ? ORDER BY step, id",
            (last,),
        )
        found: dict[int, dict[int, float | None]] = {}
        for variable, step, norm in rows:
            if isinstance(variable, int) and isinstance(step, int):
                found.setdefault(variable, {})[step] = decode.maybe_real(norm)
        return {variable: list(points.items()) for variable, points in found.items()}

    def _gradients(self, rows: Iterable[Row]) -> list[Gradient]:
        known = self.variables()
        return [_gradient(row, known) for row in rows]

    def variables(self) -> dict[int, Variable]:
        """Variables by id, in order."""
        if self._stale:
            rows = self._database.rows(
                "SELECT id, name, kind, dtype, shape_json, trainable, handle FROM variable ORDER BY id"
            )
            self._variables = {row[0]: _variable(row) for row in rows}
            self._stale = False
        return self._variables

    def variable_steps(self, step: int) -> dict[int, VariableStep]:
        """The variables' figures at one step, by id of the variable."""
        rows = self._database.rows(
            "SELECT step, variable, norm, min, max, mean, nan, inf, zeros, update_norm, assigns"
            " FROM variable_step WHERE step = ? ORDER BY variable",
            (step,),
        )
        return {row[1]: _variable_step(row) for row in rows if isinstance(row[1], int)}


def _of_step(step: int | None) -> tuple[str, tuple[int, ...]]:
    return ("", ()) if step is None else (" WHERE step = ?", (step,))


def _variable(row: Row) -> Variable:
    return Variable(
        id=row[0],
        name=decode.text(row[1]),
        kind="tensor" if row[2] == "tensor" else "variable",
        dtype=decode.text(row[3]),
        shape=decode.shape(decode.from_json(row[4])),
        trainable=None if row[5] is None else bool(row[5]),
        handle=decode.maybe_whole(row[6]),
    )


def _gradient(row: Row, known: dict[int, Variable]) -> Gradient:
    variable = decode.whole(row[3])
    form: Literal["dense", "sparse", "none"] = (
        "none" if row[4] == "none" else "sparse" if row[4] == "sparse" else "dense"
    )
    unknown = Variable(variable, f"variable {variable}", "variable", "unknown", None, None)
    return Gradient(
        id=row[0],
        call=decode.whole(row[1]),
        step=decode.maybe_whole(row[2]),
        variable=known.get(variable, unknown),
        form=form,
        tensor=decode.maybe_whole(row[5]),
        norm=decode.maybe_real(row[6]),
        min=decode.maybe_real(row[7]),
        max=decode.maybe_real(row[8]),
        mean=decode.maybe_real(row[9]),
        nan=decode.whole(row[10]),
        inf=decode.whole(row[11]),
        zeros=decode.real(row[12]),
        rows=decode.maybe_whole(row[13]),
    )


def _variable_step(row: Row) -> VariableStep:
    return VariableStep(
        step=decode.whole(row[0]),
        variable=decode.whole(row[1]),
        norm=decode.maybe_real(row[2]),
        min=decode.maybe_real(row[3]),
        max=decode.maybe_real(row[4]),
        mean=decode.maybe_real(row[5]),
        nan=decode.whole(row[6]),
        inf=decode.whole(row[7]),
        zeros=decode.maybe_real(row[8]),
        update_norm=decode.maybe_real(row[9]),
        assigns=decode.whole(row[10]),
    )
