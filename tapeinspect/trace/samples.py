"""Queries about the batches that were looked at closely: see `tapeinspect.probe.samples`."""

from __future__ import annotations

from tapeinspect.trace import decode
from tapeinspect.trace.database import Database, Row
from tapeinspect.trace.records import IdleDropout, Sample, TensorSpec, Watched


class Samples:
    """Figures of data, labels and activations. A recording without the tables has none."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def steps(self) -> list[int]:
        """The batches that have samples, in order."""
        if not self._has("sample"):
            return []
        return [
            decode.whole(row[0])
            for row in self._database.rows("SELECT DISTINCT step FROM sample ORDER BY step")
        ]

    def of_step(self, step: int) -> list[Sample]:
        """The samples of one batch, in order of the ops."""
        if not self._has("sample"):
            return []
        rows = self._database.rows(
            "SELECT step, op, place, tensor, dtype, shape_json, min, max, mean, zeros, bad, units, dead,"
            " examples, saturated FROM sample WHERE step = ? ORDER BY op, place DESC",
            (step,),
        )
        return [_sample(row) for row in rows]

    def idle_dropouts(self, step: int) -> list[IdleDropout]:
        """The models that one batch called without `training`, though there is dropout in them."""
        if not self._has("idle_dropout"):
            return []
        rows = self._database.rows(
            "SELECT step, op, model, layers_json, rate, handles_json FROM idle_dropout WHERE step = ?",
            (step,),
        )
        return [
            IdleDropout(
                step=decode.whole(row[0]),
                op=decode.whole(row[1]),
                model=decode.text(row[2]),
                layers=_texts(decode.from_json(row[3])),
                rate=decode.real(row[4]),
                handles=decode.ids(row[5]),
            )
            for row in rows
        ]

    def watched(self) -> list[Watched]:
        """The variables that tapes watched."""
        if not self._has("watched"):
            return []
        rows = self._database.rows(
            "SELECT handle, step, name, dtype, shape_json, trainable FROM watched ORDER BY rowid"
        )
        return [
            Watched(
                handle=decode.whole(row[0]),
                step=decode.whole(row[1]),
                name=decode.text(row[2]),
                dtype=decode.text(row[3]),
                shape=decode.shape(decode.from_json(row[4])),
                trainable=bool(row[5]),
            )
            for row in rows
        ]

    def _has(self, table: str) -> bool:
        return table in self._database.tables


def _texts(content: object) -> tuple[str, ...]:
    return tuple(str(item) for item in content) if isinstance(content, list) else ()


def _sample(row: Row) -> Sample:
    return Sample(
        step=decode.whole(row[0]),
        op=decode.whole(row[1]),
        place=row[2] if isinstance(row[2], int) else 0,
        tensor=decode.whole(row[3]),
        spec=TensorSpec(decode.text(row[4]), decode.shape(decode.from_json(row[5]))),
        min=decode.maybe_real(row[6]),
        max=decode.maybe_real(row[7]),
        mean=decode.maybe_real(row[8]),
        zeros=decode.real(row[9]),
        bad=decode.whole(row[10]),
        units=decode.maybe_whole(row[11]),
        dead=decode.maybe_whole(row[12]),
        examples=decode.maybe_whole(row[13]),
        saturated=decode.maybe_real(row[14]),
    )
