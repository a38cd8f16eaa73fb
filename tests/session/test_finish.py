"""How the script ended, written into its recording."""

from __future__ import annotations

import os
from pathlib import Path

from tapeinspect.session.finish import finish
from tapeinspect.trace.reader import open_trace
from tapeinspect.trace.writer import TraceWriter

FACTS = {"format": 1, "script": "train.py", "argv": [], "pid": 77, "exit_status": None, "complete": False}


def cut_off(path: Path) -> None:
    """A recording whose writer was killed: its log lies beside it."""
    child = os.fork()
    if child == 0:
        writer = TraceWriter(path)
        writer.set_meta(**FACTS)
        writer.commit()
        os._exit(0)
    os.waitpid(child, 0)


def test_a_recording_that_was_cut_off_becomes_one_file(tmp_path: Path) -> None:
    path = tmp_path / "run.tape"
    cut_off(path)
    assert len(os.listdir(tmp_path)) > 1
    assert finish(path, 77, 137)
    assert os.listdir(tmp_path) == ["run.tape"]
    reader = open_trace(path)
    assert (reader.meta.exit_status, reader.meta.complete) == (137, False)
    reader.close()


def test_a_recording_of_another_process_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "run.tape"
    cut_off(path)
    assert not finish(path, 78, 0)
    reader = open_trace(path)
    assert reader.meta.exit_status is None
    reader.close()


def test_what_is_no_recording_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "run.tape"
    assert not finish(path, 77, 0)
    assert not path.exists()
    for content in (b"", b"text", b"SQLite format 3\0" + bytes(200)):
        path.write_bytes(content)
        assert not finish(path, 77, 0)
        assert path.read_bytes() == content
