"""A recording as JSON Lines: one object a line. The names and meanings of the fields are a contract.

Kinds come in this order: meta, step, op, gradient, backward, error, finding. Ops are streamed, so a recording of any
length can be written. NaN and infinities, which JSON does not have, are written as null.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

from tapeinspect.trace import decode
from tapeinspect.trace.database import Database, Row
from tapeinspect.trace.interned import UNKNOWN_KIND, Interned, Kind
from tapeinspect.trace.reader import TraceReader, open_trace
from tapeinspect.trace.records import Flow, Gradient

_CHUNK = 4000
"""Ops read and written at a time."""

_IDS = re.compile(r"\[(?:\d+(?:, ?\d+)*)?\]")
_dumps = partial(json.dumps, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def write(trace: Path, stream: BinaryIO) -> None:
    """Write a recording to a stream. Raises TraceError when it cannot be read."""
    reader = open_trace(trace)
    try:
        for part in (_meta, _steps, _ops, _gradients, _backward, _errors, _findings):
            for text in part(reader):
                stream.write(text.encode("utf-8", "replace"))
    finally:
        reader.close()


def _line(**fields: Any) -> str:
    return _dumps(fields) + "\n"


def _meta(reader: TraceReader) -> Iterator[str]:
    meta = reader.meta
    yield _line(
        kind="meta",
        format=meta.format,
        script=meta.script,
        argv=meta.argv,
        tensorflow=meta.tensorflow,
        python=meta.python,
        tapeinspect=meta.tapeinspect,
        exit_status=meta.exit_status,
        keras=meta.keras,
        mode=meta.mode,
        values=meta.values,
        complete=meta.complete,
    )


def _steps(reader: TraceReader) -> Iterator[str]:
    for step in reader.steps():
        yield _line(
            kind="step",
            step=step.id,
            function=step.function,
            file=step.path,
            line=step.line,
            loss=_finite(step.loss),
            ops=step.ops,
            seconds=_finite(step.seconds),
        )


def _gradients(reader: TraceReader) -> Iterator[str]:
    count = 0
    for step in reader.steps():
        for gradient in reader.gradients(step.id):
            count += 1
            yield _gradient(reader, gradient)
    if count < reader.counts.gradients:  # some were asked for outside any step
        known = {step.id for step in reader.steps()}
        for gradient in reader.gradients(None):
            if gradient.step not in known:
                yield _gradient(reader, gradient)


def _gradient(reader: TraceReader, gradient: Gradient) -> str:
    variable = gradient.variable
    return _line(
        kind="gradient",
        step=gradient.step,
        variable=variable.name,
        shape=variable.shape,
        dtype=variable.dtype,
        norm=_finite(gradient.norm),
        min=_finite(gradient.min),
        max=_finite(gradient.max),
        mean=_finite(gradient.mean),
        nan=gradient.nan,
        inf=gradient.inf,
        zeros=_finite(gradient.zeros),
        none_reason=_none_reason(reader, gradient) if gradient.form == "none" else None,
    )


def _none_reason(reader: TraceReader, gradient: Gradient) -> dict[str, Any]:
    from tapeinspect.analysis.none_gradient import explain

    reason = explain(reader, gradient)
    return {"message": reason.message, "file": reason.path, "line": reason.line, "hint": reason.hint or None}


def _backward(reader: TraceReader) -> Iterator[str]:
    """What was taken backward, gradient call by gradient call; `summed` has the parts of incoming sums."""
    for call in reader.gradient_calls(None):
        for backward in reader.backward_calls(call.id):
            yield _line(
                kind="backward",
                step=backward.step,
                op=backward.op,
                type=backward.type,
                incoming=[_flow(flow) for flow in backward.incoming],
                outgoing=[_flow(flow) for flow in backward.outgoing],
                seconds=backward.seconds,
                summed=[
                    {"tensor": flow.tensor, "parts": flow.parts}
                    for flow in backward.incoming
                    if flow is not None and flow.parts
                ],
                backward=backward.id,
                gradient_call=backward.call,
                inside=backward.parent,
                first_op=backward.first_op,
                last_op=backward.last_op,
            )


def _flow(flow: Flow | None) -> dict[str, Any] | None:
    if flow is None:
        return None
    health = flow.health
    return {
        "tensor": flow.tensor,
        "norm": _finite(health.norm) if health else None,
        "nan": health.nan if health else None,
        "inf": health.inf if health else None,
        "of": flow.of,
        "indices": flow.indices,
    }


def _errors(reader: TraceReader) -> Iterator[str]:
    for error in reader.errors():
        yield _line(
            kind="error",
            type=error.type,
            message=error.message,
            file=error.file,
            line=error.line,
            step=error.step,
        )


def _findings(reader: TraceReader) -> Iterator[str]:
    from tapeinspect.analysis.findings import find

    for finding in find(reader):
        yield _line(
            kind="finding",
            rule=finding.rule,
            severity=finding.severity,
            step=finding.step,
            file=finding.path,
            line=finding.line,
            message=finding.message,
            hint=finding.hint,
            op=finding.op,
        )


def _ops(reader: TraceReader) -> Iterator[str]:
    database = Database(reader.path)
    try:
        yield from _OpLines(database).chunks()
    finally:
        database.close()


class _OpLines:
    """Lines of ops, put together from pieces: what ops share is made into JSON once."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._interned = Interned(database)
        self._places: dict[int, str] = {}
        self._kinds: dict[int, tuple[str, list[str]]] = {}

    def chunks(self) -> Iterator[str]:
        after = 0
        while True:
            rows = self._database.scan(
                "SELECT id, step, kind, stack, tape, inputs_json, output, norm FROM op WHERE id > ?"
                f" ORDER BY id LIMIT {_CHUNK}",
                (after,),
            )
            if not rows:
                return
            first, after = rows[0][0], rows[-1][0]
            for kind in {row[2] for row in rows}.difference(self._kinds):
                self._kind(kind)
            slots = self._slots(first, after)
            health = self._health([row[6] for row in rows if isinstance(row[6], int)], slots)
            yield "".join([self._line(row, health, slots.get(row[0])) for row in rows])

    def _line(self, row: Row, health: dict[int, str], slots: dict[int, int] | None) -> str:
        op, step, kind, stack, tape, inputs, output, norm = row
        known = self._kinds[kind]
        place = self._places.get(stack) or self._place(stack)
        step = step if isinstance(step, int) else "null"
        recorded = "false" if tape is None else "true"
        if not isinstance(inputs, str) or _IDS.fullmatch(inputs) is None:
            inputs = _dumps(decode.ids(inputs))
        return (
            f'{{"kind":"op","op":{op},"step":{step},"type":{known[0]},{place},"recorded":{recorded},'
            f'"inputs":{inputs},"outputs":[{self._outputs(known[1], output, norm, health, slots)}]}}\n'
        )

    def _outputs(
        self, specs: list[str], output: Any, norm: Any, health: dict[int, str], slots: dict[int, int] | None
    ) -> str:
        if not isinstance(output, int):
            return ""
        parts = []
        for slot, spec in enumerate(specs):
            tensor = output + slot if slots is None else slots.get(slot, output + slot)
            figures = health.get(tensor)
            if figures is None:
                figures = _UNMEASURED
                if slot == 0 and norm is not None:
                    figures = _figures(0, 0, norm)
            parts.append(f'{{"id":{tensor},{spec},{figures}}}')
        return ",".join(parts)

    def _kind(self, kind: Any) -> None:
        number = decode.whole(kind)
        found: Kind = self._interned.kinds([number]).get(number, UNKNOWN_KIND)
        specs = [f'"dtype":{_dumps(spec.dtype)},"shape":{_dumps(spec.shape)}' for spec in found.outputs]
        self._kinds[kind] = (_dumps(found.type), specs)

    def _place(self, stack: Any) -> str:
        place = self._interned.place(decode.whole(stack))
        self._places[stack] = f'"file":{_dumps(place.path)},"line":{_dumps(place.line)}'
        return self._places[stack]

    def _health(self, outputs: list[int], slots: dict[int, dict[int, int]]) -> dict[int, str]:
        """Figures by tensor, found by the tensors' ids since those are the key of the table."""
        select = "SELECT tensor, nan, inf, norm FROM health WHERE tensor"
        rows: list[Row] = []
        if outputs:
            most = max((len(specs) for _, specs in self._kinds.values()), default=0)
            rows += self._database.scan(f"{select} BETWEEN ? AND ?", (min(outputs), max(outputs) + most))
        elsewhere = [tensor for found in slots.values() for tensor in found.values()]
        for start in range(0, len(elsewhere), 500):
            part = elsewhere[start : start + 500]
            rows += self._database.scan(f"{select} IN ({','.join('?' * len(part))})", part)
        return {tensor: _figures(nan, inf, norm) for tensor, nan, inf, norm in rows}

    def _slots(self, first: int, last: int) -> dict[int, dict[int, int]]:
        rows = self._database.scan(
            "SELECT op, slot, tensor FROM op_output WHERE op BETWEEN ? AND ?", (first, last)
        )
        slots: dict[int, dict[int, int]] = {}
        for op, slot, tensor in rows:
            slots.setdefault(op, {})[slot] = decode.whole(tensor)
        return slots


_UNMEASURED = '"nan":null,"inf":null,"norm":null'


def _figures(nan: Any, inf: Any, norm: Any) -> str:
    value = decode.maybe_real(norm)
    text = "null" if value is None else repr(value)
    return f'"nan":{decode.whole(nan)},"inf":{decode.whole(inf)},"norm":{text}'


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
