"""Writing: what replaces what, what is refused, and what is left when it cannot go on."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
import time
import zlib
from pathlib import Path

import numpy as np
import pytest

from tapeinspect.errors import TraceError, TraceFullError, UsageError
from tapeinspect.trace.reader import open_trace
from tapeinspect.trace.records import OpFilter, TensorSpec
from tapeinspect.trace.values import value_row
from tapeinspect.trace.writer import TraceWriter, settle
from tests.bench.million_ops import generate
from tests.trace.builders import Recording


def test_a_row_with_the_same_key_takes_the_place_of_the_first(tmp_path: Path) -> None:
    writer = TraceWriter(tmp_path / "a.tape")
    writer.insert("thread", [(1, "first"), (2, "other")])
    writer.insert("thread", [(1, "second")])
    writer.set_meta(script="a.py")
    writer.set_meta(script="b.py", complete=True)
    writer.execute("UPDATE thread SET name = ? WHERE id = ?", ("changed", 2))
    writer.close()
    reader = open_trace(tmp_path / "a.tape")
    assert reader.threads() == {1: "second", 2: "changed"}
    assert reader.meta.script == "b.py"


@pytest.mark.parametrize("count", [0, 1, 15, 16, 17, 100])
def test_any_number_of_ops_goes_in_at_once(tmp_path: Path, count: int) -> None:
    recording = Recording(tmp_path / "a.tape")
    kind, stack = recording.kind("Mul", [TensorSpec("float32", ())]), recording.stack(4)
    ids = range(1, count + 1)
    recording.writer.insert(
        "op", ((i, None, kind, stack, 1, i * 10, i * 100, None, f"[{i}]", 5000 + i, float(i)) for i in ids)
    )
    reader = open_trace(recording.done())
    assert [(row.id, row.time_us, row.norm) for row in reader.rows(ids)] == [
        (i, i * 10, float(i)) for i in ids
    ]
    assert [reader.op(i).inputs for i in ids] == [(i,) for i in ids]


@pytest.mark.parametrize("row", [(1,), (1, 2, 3), (1, object()), (1 << 70, "x"), (1, None)])
def test_a_row_that_does_not_fit_is_refused_in_words_and_writing_goes_on(
    tmp_path: Path, row: tuple[object]
) -> None:
    writer = TraceWriter(tmp_path / "a.tape")
    with pytest.raises(TraceError, match="does not fit"):
        writer.insert("thread", [row])
    writer.insert("thread", [(1, "works")])
    writer.close()
    assert open_trace(tmp_path / "a.tape").threads() == {1: "works"}


def test_ops_of_uneven_length_are_refused(tmp_path: Path) -> None:
    writer = TraceWriter(tmp_path / "a.tape")
    with pytest.raises(TraceError, match="does not fit"):
        writer.insert("op", [(i, None, 1, 1, 1, 1, 1, None, "[]", 1, 1.0)[: 11 - i % 2] for i in range(17)])


def test_nothing_but_a_recording_is_overwritten(tmp_path: Path) -> None:
    picture = tmp_path / "picture.tape"
    picture.write_bytes(b"\xff\xd8\xff\xe0 picture")
    database = tmp_path / "other.tape"
    connection = sqlite3.connect(database)
    connection.execute("CREATE TABLE t (x)")
    connection.close()
    for path in (picture, database, tmp_path, tmp_path / "nowhere" / "a.tape", Path("/dev/null")):
        with pytest.raises(UsageError):
            TraceWriter(path)
    assert picture.read_bytes() == b"\xff\xd8\xff\xe0 picture"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["other.tape", "picture.tape"]
    (tmp_path / "empty.tape").touch()
    TraceWriter(tmp_path / "empty.tape").close()
    assert open_trace(tmp_path / "empty.tape").counts.ops == 0


def test_an_earlier_recording_is_replaced_with_what_it_left_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "a.tape"
    first = Recording(path)
    for _ in range(50):
        first.op("Mul")
    first.writer.commit()  # never closed: its log stays
    second = Recording(path)
    second.op("Add")
    second.done()
    reader = open_trace(path)
    assert [row.type for row in reader.rows(reader.op_ids(OpFilter()))] == ["Add"]
    reader.close()
    first.writer.close()
    assert open_trace(path).counts.ops == 1


def test_a_finished_recording_is_one_file(tmp_path: Path) -> None:
    recording = Recording(tmp_path / "a.tape")
    recording.op("Mul")
    path = recording.done()
    assert [file.name for file in tmp_path.iterdir()] == ["a.tape"]
    assert recording.writer.size() == path.stat().st_size
    recording.writer.close()


def test_a_recording_that_a_reader_held_open_is_made_one_file_afterwards(tmp_path: Path) -> None:
    recording = Recording(tmp_path / "a.tape")
    recording.op("Mul")
    recording.writer.commit()
    reader = open_trace(recording.path)
    recording.done()
    assert reader.refresh().complete
    reader.close()
    assert settle(recording.path)
    assert [file.name for file in tmp_path.iterdir()] == ["a.tape"]
    assert open_trace(recording.path).counts.ops == 1
    assert not settle(tmp_path / "missing.tape")


def test_a_forked_child_leaves_the_recording_alone(tmp_path: Path) -> None:
    recording = Recording(tmp_path / "a.tape")
    recording.op("Mul")
    child = os.fork()
    if child == 0:
        recording.op("FromChild")
        recording.writer.commit()
        recording.writer.close()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    recording.op("Add")
    reader = open_trace(recording.done())
    assert [row.type for row in reader.rows(range(1, reader.counts.ops + 1))] == ["Mul", "Add"]


def test_the_size_limit_drops_values_first_then_the_oldest_ops_and_keeps_the_rest(tmp_path: Path) -> None:
    limit = 600_000
    recording = Recording(tmp_path / "a.tape", max_size=limit)
    recording.variable(1, "w")
    ended = []
    for step in range(1, 41):
        first = recording.ops + 1
        for _ in range(300):
            made = recording.op("Mul", [1, 2, 3], step=step, norm=1.5)
            recording.writer.insert("health", [(made, recording.ops, 0, 0, 1.5)])
        data = os.urandom(20_000)
        recording.writer.insert("value", [value_row(step, first, step, TensorSpec("uint8", (20_000,)), data)])
        recording.step(step, first, recording.ops)
        recording.call(step, 1, [1], first, first, step=step)
        recording.gradient(step, 1, 0.5, step=step)
        recording.writer.commit()
        assert recording.writer.size() <= limit
        kept = recording.writer._connection.execute("SELECT count(*) FROM value").fetchone()[0]  # type: ignore[union-attr]
        ended.append((kept, recording.writer._connection.execute("SELECT min(id) FROM op").fetchone()[0]))  # type: ignore[union-attr]
    assert any(kept < step and first == 1 for step, (kept, first) in enumerate(ended, start=1))
    reader = open_trace(recording.done())
    first = reader.op_ids(OpFilter())[0]
    assert first == reader.meta.raw["dropped_ops_before"] > 300
    assert first in {step.first_op for step in reader.steps()}
    assert len(reader.steps()) == 40 == len(reader.gradients(None))
    assert reader.rows([1])[0].type == "unknown" and reader.rows([first])[0].type == "Mul"
    assert recording.path.stat().st_size <= limit


def test_a_limit_too_small_for_anything_is_an_error_and_keeps_what_there_is(tmp_path: Path) -> None:
    recording = Recording(tmp_path / "a.tape", max_size=600_000)
    with pytest.raises(TraceFullError, match="size limit"):
        for step in range(1, 2000):
            recording.writer.insert("probe_error", [(step, "x", "m" * 1000, "d")])
            recording.writer.commit()
    with pytest.raises(TraceFullError):
        recording.op("Mul")
    recording.writer.close()
    assert len(open_trace(recording.path).probe_errors()) > 50


FULL_DISK = """
    import resource, sys
    from tapeinspect.errors import TraceFullError
    from tests.trace.builders import Recording
    from pathlib import Path
    recording = Recording(Path(sys.argv[1]))
    recording.writer.commit()
    resource.setrlimit(resource.RLIMIT_FSIZE, (600_000, 600_000))
    try:
        for step in range(1, 1000):
            for _ in range(100):
                recording.op("Mul", [1, 2, 3], step=step)
            recording.writer.commit()
    except TraceFullError as error:
        print(error.message)
        print(error.hint)
    try:
        recording.op("Mul")
    except TraceFullError:
        print("still full")
    recording.writer.close()
"""


def run(code: str, *args: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", textwrap.dedent(code), *args]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def test_a_full_disk_is_an_error_in_words_and_what_was_recorded_can_be_read(tmp_path: Path) -> None:
    path = tmp_path / "a.tape"
    done = run(FULL_DISK, str(path))
    assert done.stderr == ""
    said = done.stdout.splitlines()
    assert said[0].startswith(f"the recording {path} cannot be written any further")
    assert "disk space" in said[1] and said[2] == "still full"
    reader = open_trace(path)
    assert reader.counts.ops >= 1000 and reader.counts.ops % 100 == 0
    assert {row.type for row in reader.rows(range(1, reader.counts.ops + 1))} == {"Mul"}


KILLED = """
    import os, sys
    from pathlib import Path
    from tests.trace.builders import Recording
    recording = Recording(Path(sys.argv[1]))
    for step in range(1, 11):
        for _ in range(100):
            recording.op("Mul", step=step)
        recording.step(step, step * 100 - 99, step * 100)
        recording.writer.commit()
    recording.op("Lost")
    os.kill(os.getpid(), 9)
"""


def test_a_killed_writer_leaves_everything_committed(tmp_path: Path) -> None:
    path = tmp_path / "a.tape"
    assert run(KILLED, str(path)).returncode == -signal.SIGKILL
    reader = open_trace(path)
    assert (reader.counts.ops, reader.counts.steps, reader.counts.complete) == (1000, 10, False)
    assert {row.type for row in reader.rows(range(1, 1001))} == {"Mul"}
    reader.close()
    assert settle(path)
    assert [file.name for file in tmp_path.iterdir()] == ["a.tape"]
    assert open_trace(path).counts.ops == 1000


WRITING = """
    import sys, time
    from pathlib import Path
    from tests.trace.builders import Recording
    recording = Recording(Path(sys.argv[1]))
    for step in range(1, 41):
        first = recording.ops + 1
        for _ in range(50):
            recording.op("Mul", [1000], step=step)
        recording.step(step, first, recording.ops)
        recording.writer.commit()
        time.sleep(0.005)
    recording.done()
"""


def test_reading_goes_along_with_writing(tmp_path: Path) -> None:
    path = tmp_path / "a.tape"
    writer = subprocess.Popen([sys.executable, "-c", textwrap.dedent(WRITING), str(path)])
    try:
        deadline = time.monotonic() + 60
        while not path.exists():
            assert writer.poll() is None
        reader = open_trace(path)
        seen = []
        while not reader.refresh().complete:
            counts = reader.counts
            seen.append(counts.ops)
            assert time.monotonic() < deadline
            assert counts.ops == counts.steps * 50
            assert all(row.type == "Mul" for row in reader.rows(reader.op_ids(OpFilter())))
            assert len(reader.steps()) >= counts.steps
            assert writer.poll() in (None, 0)
        assert writer.wait(timeout=30) == 0
    finally:
        writer.kill()
        writer.wait()
    assert seen == sorted(seen) and len(set(seen)) > 5
    assert reader.refresh().ops == 2000 == len(reader.op_ids(OpFilter()))


def test_a_recording_takes_few_bytes_an_op(tmp_path: Path) -> None:
    path = generate(tmp_path / "made.tape", 30_000)
    assert path.stat().st_size / 30_000 < 120


def test_a_value_is_made_smaller_where_that_pays(tmp_path: Path) -> None:
    noise = np.random.default_rng(1).standard_normal(20_000).astype(np.float32).tobytes()
    half = b"".join(noise[i : i + 4] + bytes(4) for i in range(0, len(noise), 4))
    text = b'["word", "another word"]' * 1000
    for data, share in (
        (noise, 1.01),
        (half, 0.6),
        (bytes(80_000), 0.01),
        (noise[:4], 5.0),
        (text, 0.1),
        (b"", 1),
    ):
        row = value_row(1, 1, 1, TensorSpec("float32", (len(data) // 4,)), data)
        assert not data or len(row[-1]) <= share * len(data)
        assert zlib.decompress(row[-1]) == data
