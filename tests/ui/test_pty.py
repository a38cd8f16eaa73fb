"""The real program in a pseudo-terminal: leaving, exit statuses, a terminal that is closed."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bench.bench_ui import Screen

pytestmark = pytest.mark.pty


@contextlib.contextmanager
def screen(*arguments: str) -> Iterator[Screen]:
    """The program on some arguments; ended in any case."""
    shown = Screen(arguments, 100, 30)
    try:
        yield shown
    finally:
        with contextlib.suppress(OSError, ChildProcessError):
            shown.close()


def left(shown: Screen, limit: float = 60.0) -> int:
    """Wait until the program has left; its exit status."""
    end = time.monotonic() + limit
    while time.monotonic() < end:
        shown.read(0.05)
        pid, status = os.waitpid(shown.pid, os.WNOHANG)
        if pid:
            return os.waitstatus_to_exitcode(status)
    raise TimeoutError("the program did not leave")


def script(folder: Path, text: str) -> str:
    path = folder / "script.py"
    path.write_text(text)
    return str(path)


def test_a_recording_opens_and_q_leaves(plain: Path) -> None:
    with screen("open", str(plain)) as shown:
        shown.until(rb"Ops  batch 1")
        shown.settle()
        os.write(shown.fd, b"q")
        assert left(shown) == 0
        assert shown.seen.rstrip().endswith(b"\x1b[?1049l") or b"\x1b[?1049l" in shown.seen[-400:]


def test_the_scripts_own_exit_status(tmp_path: Path) -> None:
    path = script(tmp_path, "import sys\nprint('goodbye')\nsys.exit(3)\n")
    with screen("-o", str(tmp_path / "run.tape"), path) as shown:
        shown.until(rb"exit status 3")
        os.write(shown.fd, b"6")
        shown.until(rb"goodbye")
        os.write(shown.fd, b"q")
        assert left(shown) == 3


def test_closing_the_terminal_ends_the_script(tmp_path: Path) -> None:
    noted = tmp_path / "pid"
    path = script(
        tmp_path, f"import os, time\nopen({str(noted)!r}, 'w').write(str(os.getpid()))\ntime.sleep(300)\n"
    )
    with screen("-o", str(tmp_path / "run.tape"), path) as shown:
        end = time.monotonic() + 60
        while not (noted.exists() and noted.read_text()) and time.monotonic() < end:
            shown.read(0.05)
        pid = int(noted.read_text())
        shown.settle()
        os.close(shown.fd)
        end = time.monotonic() + 60
        while _alive(pid) and time.monotonic() < end:
            time.sleep(0.05)
        assert not _alive(pid)
        assert os.waitstatus_to_exitcode(os.waitpid(shown.pid, 0)[1]) == 129


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_the_first_frame_comes_before_textual_is_imported() -> None:
    from tapeinspect.ui.first_paint import frame

    shown = frame("/home/ada/train\x1b[31m.py", "STARTING", "starting Python", 60, 16)
    assert "1 Trace   2 Tape" in shown and "train?[31m.py" in shown
    assert "textual" not in sys.modules["tapeinspect.ui.first_paint"].__dict__
