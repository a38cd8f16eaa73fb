"""Files that are no recordings, and recordings from strangers: a sentence or "unknown", never a traceback."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import sqlite3
import zlib
from pathlib import Path

import pytest

from tapeinspect.errors import NewerFormatError, TraceError
from tapeinspect.trace import schema
from tapeinspect.trace.reader import TraceReader, open_trace, parse_filter
from tapeinspect.trace.records import OpFilter
from tapeinspect.trace.writer import TraceWriter
from tests.bench.million_ops import generate
from tests.trace.builders import Recording


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return generate(tmp_path_factory.mktemp("whole") / "whole.tape", 4000)


def look_at_everything(reader: TraceReader) -> None:
    """Call every method with what the recording itself names."""
    reader.refresh()
    _ = reader.meta, reader.counts
    for step in reader.steps():
        reader.gradients(step.id), reader.tapes(step.id), reader.gradient_calls(step.id)
        reader.variable_steps(step.id), reader.line_costs(1, step.id), reader.op_ids(OpFilter(step=step.id))
    for text in (
        "",
        "matmul",
        "nan",
        "tape",
        "backward",
        "-backward",
        "line:60",
        "file:model",
        "tensor:10005",
    ):
        reader.rows(reader.op_ids(parse_filter(text))[:60])
    for op in reader.op_ids(OpFilter())[:8]:
        found = reader.op(op)
        for tensor in (*found.inputs, *(output.id for output in found.outputs)):
            reader.producer(tensor), reader.consumers(tensor), reader.stats(tensor), reader.value(tensor)
    reader.edges(1, 4000), reader.line_costs(1, None), reader.gradient_history(1), reader.norms()
    reader.variables(), reader.traces(), reader.opaques(), reader.errors(), reader.probe_errors()
    reader.findings(), reader.threads(), reader.files(), reader.stack(1)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "there is no file"),
        (b"", "is empty"),
        (b"S", "is cut off|not a recording"),
        (b"\xff\xd8\xff\xe0\x00\x10JFIF" + bytes(1000), "is not a recording"),
        (b"import tensorflow as tf\n" * 100, "is not a recording"),
        (b"SQLite format 3\0" + bytes(2000), "not a recording|damaged"),
    ],
)
def test_a_file_that_is_no_recording_is_named_in_a_sentence(
    tmp_path: Path, content: bytes | None, said: str
) -> None:
    path = tmp_path / "some file%20?.tape"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(TraceError, match=said) as caught:
        open_trace(path)
    assert str(path) in caught.value.message and not isinstance(caught.value, NewerFormatError)
    assert [file.name for file in tmp_path.iterdir()] == ([path.name] if content is not None else [])


def test_a_directory_and_a_pipe_are_no_recordings(tmp_path: Path) -> None:
    with pytest.raises(TraceError, match="is a directory"):
        open_trace(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(TraceError, match="not a regular file"):
        open_trace(tmp_path / "pipe")


def test_another_sqlite_file_is_no_recording(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "a.db")
    connection.execute("CREATE TABLE op (id INTEGER PRIMARY KEY)")
    connection.close()
    with pytest.raises(TraceError, match="SQLite database, but not a recording"):
        open_trace(tmp_path / "a.db")


def test_a_newer_format_says_which(tmp_path: Path, whole: Path) -> None:
    path = changed(tmp_path, whole, f"PRAGMA user_version = {schema.FORMAT + 6}")
    with pytest.raises(NewerFormatError, match=f"format {schema.FORMAT + 6}.*up to {schema.FORMAT}"):
        open_trace(path)


def test_a_missing_table_is_damage(tmp_path: Path, whole: Path) -> None:
    with pytest.raises(TraceError, match="table 'gradient' is missing"):
        open_trace(changed(tmp_path, whole, "DROP TABLE gradient"))


def test_a_view_does_not_stand_in_for_a_table(tmp_path: Path, whole: Path) -> None:
    path = changed(tmp_path, whole, "DROP TABLE health", "CREATE VIEW health AS SELECT * FROM op")
    with pytest.raises(TraceError, match="table 'health' is missing"):
        open_trace(path)


@pytest.mark.parametrize("share", [0.0001, 0.001, 0.02, 0.3, 0.5, 0.9, 0.999])
def test_a_recording_cut_off_says_so(tmp_path: Path, whole: Path, share: float) -> None:
    content = whole.read_bytes()
    path = tmp_path / "cut.tape"
    path.write_bytes(content[: max(20, int(len(content) * share))])
    with pytest.raises(TraceError, match="is cut off"):
        open_trace(path)


@pytest.mark.parametrize("seed", range(12))
def test_overwritten_bytes_are_damage_or_unknown(tmp_path: Path, whole: Path, seed: int) -> None:
    rng = random.Random(seed)
    content = bytearray(whole.read_bytes())
    for _ in range(1 if seed % 2 else 300):
        start = rng.randrange(100, len(content) - 50)
        content[start : start + 40] = rng.randbytes(40)
    path = tmp_path / "bad.tape"
    path.write_bytes(content)
    with contextlib.suppress(TraceError, KeyError):
        look_at_everything(open_trace(path))


def test_a_log_cut_off_loses_only_its_end(tmp_path: Path) -> None:
    recording = Recording(tmp_path / "a.tape")
    for _ in range(50):
        for _ in range(20):
            recording.op("Mul")
        recording.writer.commit()
    copy = tmp_path / "copy"
    copy.mkdir()
    log = (tmp_path / "a.tape-wal").read_bytes()
    shutil.copy(tmp_path / "a.tape", copy)
    (copy / "a.tape-wal").write_bytes(log[: len(log) * 2 // 3])
    reader = open_trace(copy / "a.tape")
    assert 0 < reader.counts.ops < 1000 and reader.counts.ops % 20 == 0
    assert {row.type for row in reader.rows(range(1, reader.counts.ops + 1))} == {"Mul"}


GARBAGE = ("'text'", "x'00ff'", "1.5", "-9223372036854775808", "9223372036854775807")


TABLES = (("op", "kind"), ("stack", "frame", "file", "thread"), tuple(schema.TABLES))


@pytest.mark.parametrize("garbage", GARBAGE)
@pytest.mark.parametrize("tables", TABLES, ids=["ops", "stacks", "all"])
def test_columns_of_any_other_type_are_unknown(
    tmp_path: Path, whole: Path, tables: tuple[str, ...], garbage: str
) -> None:
    keys = {"id", "op", "slot", "tensor", "tape", "step", "variable"}
    changes = []
    for table in tables:
        columns = [name for name in schema.column_names(table) if name not in keys]
        values = ", ".join(f"{column} = {garbage}" for column in columns or schema.column_names(table)[1:])
        changes.append(f"UPDATE OR IGNORE {table} SET {values}")
    look_at_everything(open_trace(changed(tmp_path, whole, *changes)))


ODD_JSON = (
    ("nothing", ""),
    ("cut off", "{"),
    ("null", "null"),
    ("list", "[]"),
    ("object", "{}"),
    ("nested", "[[[]]]"),
    ("texts", '["x"]'),
    ("nulls", "[null]"),
    ("infinite", "[1e999]"),
    ("true", "[true]"),
    ("huge", "[" + "9" * 5000 + "]"),
    ("large", "[99999999999999999999]"),
    ("deep", "[" * 5_000),
    ("no text", "\ud800"),
)


@pytest.mark.parametrize("json", [json for _, json in ODD_JSON], ids=[name for name, _ in ODD_JSON])
def test_json_that_says_something_else_is_unknown(tmp_path: Path, whole: Path, json: str) -> None:
    path = tmp_path / "a.tape"
    shutil.copy(whole, path)
    connection = sqlite3.connect(path)
    text = json.encode("utf-8", "surrogatepass")
    for table in schema.TABLES:
        for column in schema.column_names(table):
            if column.endswith("_json"):
                connection.execute(f"UPDATE {table} SET {column} = CAST(? AS TEXT)", (text,))
    connection.execute("INSERT INTO error VALUES (1, 'E', 'm', NULL, NULL, NULL, CAST(? AS TEXT))", (text,))
    connection.execute(
        "INSERT INTO stats VALUES (10005, 1, 0, 0, 0, 1, 1, 1, 1, 1, CAST(? AS TEXT))", (text,)
    )
    connection.commit()
    connection.close()
    look_at_everything(open_trace(path))


def test_a_value_that_unpacks_to_gigabytes_is_damage(tmp_path: Path, whole: Path) -> None:
    packer = zlib.compressobj(9)
    bomb = b"".join(packer.compress(bytes(1 << 20)) for _ in range(100)) + packer.flush()
    path = tmp_path / "a.tape"
    shutil.copy(whole, path)
    connection = sqlite3.connect(path)
    for tensor, dtype, shape in ((1, "float32", "[4]"), (2, "string", "[1]"), (3, "float32", "[-1,-4]")):
        connection.execute("INSERT INTO value VALUES (?, 1, 1, ?, ?, ?)", (tensor, dtype, shape, bomb))
    connection.commit()
    connection.close()
    reader = open_trace(path)
    for tensor in (1, 2, 3):
        with pytest.raises(TraceError, match=f"value of tensor {tensor} .* is damaged"):
            reader.value(tensor)


def test_a_recording_without_rows_is_empty_not_an_error(tmp_path: Path) -> None:
    TraceWriter(tmp_path / "a.tape").close()
    reader = open_trace(tmp_path / "a.tape")
    assert len(reader.op_ids(OpFilter())) == 0 and list(reader.op_ids(parse_filter("matmul nan"))) == []
    assert reader.producer(5) is None and reader.consumers(5) == [] and reader.norms() == {}
    for call in (reader.op, reader.step, reader.stack, reader.file):
        with pytest.raises(KeyError):
            call(1)


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write anywhere")
def test_a_recording_in_a_directory_that_cannot_be_written_opens(tmp_path: Path, whole: Path) -> None:
    place = tmp_path / "read-only"
    place.mkdir()
    shutil.copy(whole, place / "a.tape")
    (place / "a.tape").chmod(0o444)
    place.chmod(0o555)
    try:
        look_at_everything(open_trace(place / "a.tape"))
    finally:
        place.chmod(0o755)


def test_a_file_left_in_log_mode_opens_without_making_files_beside_it(tmp_path: Path) -> None:
    recording = Recording(tmp_path / "a.tape")
    recording.op("Mul")
    recording.writer.commit()
    connection = sqlite3.connect(recording.path)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    connection.close()
    place = tmp_path / "copy"
    place.mkdir()
    shutil.copy(recording.path, place)
    reader = open_trace(place / "a.tape")
    assert [row.type for row in reader.rows(reader.op_ids(OpFilter()))] == ["Mul"]
    reader.close()
    assert [file.name for file in place.iterdir()] == ["a.tape"]


def changed(tmp_path: Path, whole: Path, *statements: str) -> Path:
    """A copy of a recording after some SQL."""
    path = tmp_path / "changed.tape"
    shutil.copy(whole, path)
    connection = sqlite3.connect(path)
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()
    return path
