"""`tapeinspect record`: the script runs as without us, and how it goes is told on stderr."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tapeinspect.cli import progress
from tapeinspect.cli.progress import Progress, in_words, size_in_words
from tapeinspect.link.messages import Status, Tick, Trouble
from tapeinspect.session.state import SessionState
from tapeinspect.trace.reader import open_trace
from tests.cli.running import COMMAND, SECONDS, OnTerminal, run

SCRIPT = """
import os, sys
print("argv", sys.argv[1:], __name__, __file__)
print("stdin", sys.stdin.read())
print("err", file=sys.stderr)
sys.stdout.buffer.write(b"\\xff\\xfe raw\\n")
sys.exit(int(sys.argv[-1]))
"""


def test_output_input_arguments_and_status_are_the_scripts(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(SCRIPT)
    args = ["--help", "-o", "x", "--", "3"]
    alone = run("a.py", *args, cwd=tmp_path, command=[sys.executable], input=b"typed")
    under = run("record", "-q", "a.py", *args, cwd=tmp_path, input=b"typed")
    assert (under.returncode, under.stdout) == (alone.returncode, alone.stdout)
    assert under.returncode == 3
    assert under.stderr == alone.stderr == b"err\n"
    assert (tmp_path / "a.tape").exists()
    assert not (tmp_path / "x").exists()


def test_what_is_said(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("raise SystemExit(3)")
    done = run("record", "-o", "my run.tape", "a.py", cwd=tmp_path)
    lines = done.stderr.decode().splitlines()
    assert done.stdout == b""
    assert lines[0] == "tapeinspect: a.py ended: exit status 3"
    assert lines[1] == "tapeinspect: recorded 0 batches | 0 ops"
    assert lines[2].endswith("to look at it: tapeinspect open 'my run.tape'")
    reader = open_trace(tmp_path / "my run.tape")
    assert (reader.meta.exit_status, reader.meta.argv) == (3, ("a.py",))
    reader.close()


@pytest.mark.tf
def test_a_script_that_fails_for_being_run_op_by_op_is_told_the_other_way(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(
        "import tensorflow as tf\n"
        "f = tf.function(lambda x: tf.executing_eagerly())\n"
        "assert not f(tf.ones(2)), 'x' * 5\n"
    )
    hint = "Its tf.functions ran op by op; if it fails for that, run it as written: --mode graph"
    done = run("record", "a.py", cwd=tmp_path)
    assert done.returncode == 1 and f"ended: exit status 1\n  {hint}\n" in done.stderr.decode()
    done = run("record", "--mode", "graph", "a.py", cwd=tmp_path)
    assert done.returncode == 0 and hint not in done.stderr.decode()


def test_without_a_terminal_the_screen_is_a_recording(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("print('hi'); raise SystemExit(3)")
    done = run("a.py", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (3, b"hi\n")
    assert "there is no terminal" in done.stderr.decode()
    assert (tmp_path / "a.tape").exists()


def test_a_recording_is_replaced_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("import sys; sys.exit(int(sys.argv[1]))")
    for status in (3, 4):
        assert run("record", "a.py", str(status), cwd=tmp_path).returncode == status
        reader = open_trace(tmp_path / "a.tape")
        assert reader.meta.exit_status == status
        reader.close()
    (tmp_path / "a.tape").write_text("a poem")
    done = run("record", "a.py", "5", cwd=tmp_path)
    assert done.returncode == 2
    assert "is there already and is not a recording" in done.stderr.decode()
    assert (tmp_path / "a.tape").read_text() == "a poem"


def test_no_process_and_no_file_is_left(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("import os; print(os.getpid())")
    done = run("record", "a.py", cwd=tmp_path)
    assert not Path(f"/proc/{int(done.stdout)}").exists()
    assert sorted(os.listdir(tmp_path)) == ["a.py", "a.tape"]


@pytest.mark.pty
@pytest.mark.parametrize("caught", [True, False])
def test_ctrl_c_is_the_scripts(tmp_path: Path, caught: bool) -> None:
    handler = "except KeyboardInterrupt: sys.exit(42)" if caught else "finally: print('in order')"
    (tmp_path / "a.py").write_text(
        f"import sys, time\ntry:\n  print('ready', flush=True)\n  time.sleep(60)\n{handler}"
    )
    with OnTerminal([*COMMAND, "record", "a.py"], tmp_path) as terminal:
        terminal.read_until(b"ready")
        terminal.type(b"\x03")
        assert terminal.wait() == (42 if caught else 130)
        assert b"tapeinspect open a.tape" in terminal.written
        assert caught or b"in order" in terminal.written
    reader = open_trace(tmp_path / "a.tape")
    assert reader.meta.exit_status == (42 if caught else 130)
    reader.close()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_signals_are_passed_on(tmp_path: Path, number: signal.Signals) -> None:
    (tmp_path / "a.py").write_text(
        "import signal, sys, time\n"
        "handler = lambda number, frame: (print('got', number, flush=True), sys.exit(9))\n"
        "for number in (signal.SIGTERM, signal.SIGHUP): signal.signal(number, handler)\n"
        "print('ready', flush=True)\n"
        "while True: time.sleep(1)\n"
    )
    with subprocess.Popen(
        [*COMMAND, "record", "-q", "a.py"], cwd=tmp_path, stdout=subprocess.PIPE, start_new_session=True
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(number)
        assert process.wait(SECONDS) == 9
        assert process.stdout.read() == f"got {number.value}\n".encode()


@pytest.mark.pty
def test_a_terminal_that_is_closed_ends_the_script(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(
        "import os, time\nopen('pid', 'w').write(str(os.getpid()))\nprint('ready')\ntime.sleep(60)"
    )
    with OnTerminal([*COMMAND, "record", "a.py"], tmp_path) as terminal:
        terminal.read_until(b"ready")
        terminal.hang_up()
        assert terminal.wait() == 128 + signal.SIGHUP
    assert not Path(f"/proc/{(tmp_path / 'pid').read_text()}").exists()


def test_nohup_holds_for_the_script(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(
        "import os, signal\nos.kill(os.getppid(), signal.SIGHUP)\n"
        "print(signal.getsignal(signal.SIGHUP) is signal.SIG_IGN)"
    )
    done = run(
        "record", "-q", "a.py", cwd=tmp_path, command=["sh", "-c", 'trap "" HUP; exec "$@"', "sh", *COMMAND]
    )
    assert (done.returncode, done.stdout) == (0, b"True\n")


def test_a_parent_that_ignores_its_children(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("raise SystemExit(6)")
    code = (
        "import os, sys; from signal import *; signal(SIGCHLD, SIG_IGN); os.execv(sys.argv[1], sys.argv[1:])"
    )
    done = run("record", "a.py", cwd=tmp_path, command=[sys.executable, "-c", code, *COMMAND])
    assert done.returncode == 6


# progress


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    lines: list[str] = []
    monkeypatch.setattr(progress, "say", lambda message, hint="": lines.append(f"{message} {hint}".strip()))
    return lines


def test_progress_comes_now_and_then(said: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    monkeypatch.setattr(progress, "EVERY_IN_LOG", 10.0)
    shown = Progress(quiet=False)
    for second in range(1, 35):
        now[0] = float(second)
        shown.hear(Tick(100 * second, second, 1 / second, float(second), 1.05))
    assert said == [
        f"{n} batches | {100 * n:,} ops | loss {loss} | 1 batches/s | recording takes 1.05x the time"
        for n, loss in ((10, "0.1"), (20, "0.05"), (30, "0.03333"))
    ]


def test_quiet_says_only_what_is_amiss(said: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "EVERY_IN_LOG", 0.0)
    shown = Progress(quiet=True)
    shown.hear(Tick(1, 1, None, 1.0, None))
    shown.hear(Status("running"))
    shown.hear(Trouble("the disk is full", "free some space"))
    assert said == ["the disk is full free some space"]


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (SessionState(), "0 batches | 0 ops"),
        (
            SessionState(ops=1, steps=1, loss=float("nan"), seconds=2.0),
            "1 batch | 1 op | loss nan | 0.5 batches/s",
        ),
        (SessionState(ops=1_234_567, steps=0, loss=12345678.0), "0 batches | 1,234,567 ops | loss 1.235e+07"),
    ],
)
def test_in_words(state: SessionState, words: str) -> None:
    assert in_words(state) == words


@pytest.mark.parametrize(
    ("size", "words"),
    [(0, "0 B"), (999, "999 B"), (1234, "1.2 KB"), (286_720, "287 KB"), (5e6, "5.0 MB"), (3e12, "3000 GB")],
)
def test_size_in_words(size: float, words: str) -> None:
    assert size_in_words(size) == words
