"""Reading what was measured on the batches that were looked at closely."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from tapeinspect.trace.reader import open_trace
from tapeinspect.trace.records import IdleDropout, Sample, TensorSpec, Watched
from tests.trace.builders import Recording


def test_what_is_written_is_read(tmp_path: Path) -> None:
    made = Recording(tmp_path / "a.tape")
    row = (1, 7, -2, 1001, "float32", "[32, 8]", -1.0, 2.0, 0.5, 0.25, 0, 8, 3, 64, None)
    made.writer.insert(
        "sample", [row, (4, 9, 0, 1002, "int64", "[]", 3, 3, 3, 0.0, 0, None, None, None, 0.5)]
    )
    made.writer.insert("watched", [(5, 1, "dense/kernel", "float32", "[8, 4]", 1)])
    made.writer.insert("idle_dropout", [(4, 9, "model", '["dropout"]', 0.5, "[5]")])
    reader = open_trace(made.done())
    assert reader.sampled_steps() == [1, 4]
    spec = TensorSpec("float32", (32, 8))
    assert reader.samples(1) == [Sample(1, 7, -2, 1001, spec, -1.0, 2.0, 0.5, 0.25, 0, 8, 3, 64, None)]
    assert reader.samples(4)[0].spec.shape == () and reader.samples(2) == []
    assert reader.watched() == [Watched(5, 1, "dense/kernel", "float32", (8, 4), True)]
    assert reader.idle_dropouts(4) == [IdleDropout(4, 9, "model", ("dropout",), 0.5, (5,))]


def test_a_recording_without_the_tables(tmp_path: Path) -> None:
    path = Recording(tmp_path / "a.tape").done()
    with sqlite3.connect(path) as connection:
        for table in ("sample", "watched", "idle_dropout"):
            connection.execute(f"DROP TABLE {table}")
    reader = open_trace(path)
    assert (reader.sampled_steps(), reader.samples(1), reader.watched(), reader.idle_dropouts(1)) == (
        [],
        [],
        [],
        [],
    )


def test_damaged_rows_are_no_crash(tmp_path: Path) -> None:
    path = Recording(tmp_path / "a.tape").done()
    with sqlite3.connect(path) as connection:
        connection.execute(
            "INSERT INTO sample VALUES (1,'x','y','z',1,'{','a','b',NULL,'c','d','e',NULL,NULL,'f')"
        )
        connection.execute("INSERT INTO idle_dropout VALUES (1, 'x', 2, '{', 'y', '[\"z\"]')")
    reader = open_trace(path)
    assert reader.samples(1)[0].spec == TensorSpec("1", None)
    assert reader.idle_dropouts(1)[0].layers == ()
