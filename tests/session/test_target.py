"""A target from start to end: events in order, exit statuses, questions, nothing left over."""

from __future__ import annotations

import gc
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tapeinspect.errors import TargetError
from tapeinspect.link.messages import AskStats, Hello, Status, Stop, Tick, Trouble
from tapeinspect.session import target as target_module
from tapeinspect.session.target import Exited, Output, Target
from tapeinspect.trace.reader import open_trace
from tests.session.running import SECONDS, Heard, gone, launch

Start = Callable[..., Target]


def test_events_in_order_and_the_exit_status(tmp_path: Path, start: Start) -> None:
    heard = Heard()
    target = start(launch(tmp_path, "print('bye'); raise SystemExit(3)"), heard)
    assert target.wait(SECONDS) == 3
    assert target.drain(SECONDS)
    kinds = [type(event) for event in heard.events if not isinstance(event, Output)]
    assert kinds == [Hello, Status, Tick, Exited]
    assert heard.events[-1] == Exited(3)
    assert heard.events[0] == Hello(target.pid, sys.version.split()[0])
    assert heard.text == "bye\r\n"


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("", 0),
        ("import os; os._exit(7)", 7),
        ("import os; os.abort()", 128 + signal.SIGABRT),
        ("import os; os.kill(os.getpid(), 9)", 128 + signal.SIGKILL),
        ("1/0", 1),
    ],
)
@pytest.mark.parametrize("pty", [True, False])
def test_exit_statuses_are_in_the_recording(
    tmp_path: Path, start: Start, code: str, status: int, pty: bool
) -> None:
    target = start(launch(tmp_path, code, pty=pty, env={"PYTHONFAULTHANDLER": ""}), Heard())
    assert target.wait(SECONDS) == status
    assert target.drain(SECONDS)
    reader = open_trace(target.trace)
    assert reader.meta.exit_status == status
    reader.close()
    assert sorted(os.listdir(tmp_path)) == ["script.py", "script.tape"]


def test_the_recording_of_another_run_is_left_alone(tmp_path: Path, start: Start) -> None:
    start(launch(tmp_path, ""), Heard()).drain(SECONDS)
    before = (tmp_path / "script.tape").read_bytes()
    target = start(launch(tmp_path, "raise SystemExit(9)", env={"FAKE_PROBE": "silent"}), Heard())
    assert target.wait(SECONDS) == 9
    assert target.drain(SECONDS)
    assert (tmp_path / "script.tape").read_bytes() == before


def test_what_was_amiss_before_the_start_comes_first(tmp_path: Path, start: Start) -> None:
    import dataclasses

    note = Trouble("TensorFlow is not installed")
    heard = Heard()
    start(dataclasses.replace(launch(tmp_path, ""), notes=(note,)), heard).drain(SECONDS)
    assert heard.events[0] == note


def test_a_listener_that_comes_late_hears_everything(tmp_path: Path, start: Start) -> None:
    target = start(launch(tmp_path, "print('early')"))
    assert target.wait(SECONDS) == 0
    assert target.drain(SECONDS)
    heard = Heard()
    target.subscribe(heard)
    assert heard.text == "early\r\n"
    assert isinstance(heard.events[0], Hello)
    assert heard.events[-1] == Exited(0)


def test_output_waits_for_a_listener_within_a_limit(
    tmp_path: Path, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(target_module, "BACKLOG", 10_000)
    target = start(launch(tmp_path, "for i in range(20_000): print(i)"))
    assert target.wait(1.5) is None
    kept = sum(len(event.data) for event in target._backlog if isinstance(event, Output))
    assert 10_000 <= kept < 200_000
    heard = Heard()
    target.subscribe(heard)
    assert target.wait(SECONDS) == 0
    assert target.drain(SECONDS)
    assert heard.text == "".join(f"{i}\r\n" for i in range(20_000))


def test_a_listener_that_raises_is_silenced_and_the_script_goes_on(tmp_path: Path, start: Start) -> None:
    def broken(event: object) -> None:
        raise RuntimeError("the view is gone")

    target = start(launch(tmp_path, "for i in range(20_000): print(i)"), broken)
    assert target.wait(SECONDS) == 0
    assert target.drain(SECONDS)
    assert str(target.listener_error) == "the view is gone"


def test_asking_and_sending(tmp_path: Path, start: Start) -> None:
    heard = Heard()
    target = start(launch(tmp_path, "input()"), heard)
    futures = [target.ask(AskStats(0, tensor)) for tensor in (5, 6, 7)]
    assert [future.result(SECONDS).body for future in futures] == [{"size": 5}, {"size": 6}, {"size": 7}]
    target.send(Stop())
    heard.until(lambda h: Status("paused", json.dumps("stopping")) in h.events)
    unanswered = target.ask(AskStats(0, 13))
    target.write_input(b"\n")
    with pytest.raises(TargetError):
        unanswered.result(SECONDS)
    target.drain(SECONDS)
    with pytest.raises(TargetError):
        target.ask(AskStats(0, 5)).result(SECONDS)
    target.send(Stop())


@pytest.mark.parametrize("pty", [True, False])
def test_interrupt(tmp_path: Path, start: Start, pty: bool) -> None:
    code = """
import time
open("ready", "w").close()
try:
    time.sleep(60)
except KeyboardInterrupt:
    raise SystemExit(42)
"""
    target = start(launch(tmp_path, code.replace('"ready"', repr(str(tmp_path / "ready"))), pty=pty), Heard())
    wait_for(tmp_path / "ready")
    target.interrupt()
    assert target.wait(SECONDS) == 42
    target.interrupt()


def test_end_is_a_sigterm_first(tmp_path: Path, start: Start) -> None:
    heard = Heard()
    code = """
import signal, sys
signal.signal(signal.SIGTERM, lambda *_: (print("in order"), sys.exit(5)))
print("ready")
while True: signal.pause()
"""
    target = start(launch(tmp_path, code), heard)
    heard.until(lambda h: "ready" in h.text)
    target.end()
    assert target.exit_status == 5
    target.drain(SECONDS)
    assert "in order" in heard.text


@pytest.mark.parametrize("stopped", [False, True])
def test_end_leaves_nothing_behind(tmp_path: Path, start: Start, stopped: bool) -> None:
    heard = Heard()
    code = f"""
import os, signal, subprocess, sys
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(60)"])
print("child", child.pid, "end", flush=True)
os.kill(os.getpid(), signal.SIGSTOP) if {stopped} else None
while True: signal.pause()
"""
    target = start(launch(tmp_path, code), heard)
    heard.until(lambda h: "end" in h.text)
    child = int(heard.text.split()[1])
    begin = time.monotonic()
    target.end(0.3)
    assert target.exit_status == 128 + signal.SIGKILL
    assert time.monotonic() - begin < 30
    assert gone(child)
    assert gone(target.pid)


def test_a_daemon_that_the_script_leaves_does_not_hold_us_up(tmp_path: Path, start: Start) -> None:
    code = """
import os, signal, time
if os.fork() == 0:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    end = time.time() + 60
    while time.time() < end:
        os.write(1, b"still here" * 100)
    os._exit(0)
print("parent ends")
"""
    heard = Heard()
    target = start(launch(tmp_path, code), heard)
    begin = time.monotonic()
    assert target.wait(20) == 0
    assert target.drain(20), "the output of what the script left behind was waited for"
    assert time.monotonic() - begin < 50
    assert heard.events[-1] == Exited(0)


def test_the_target_ends_when_the_tool_is_killed(tmp_path: Path) -> None:
    for pty in (True, False):
        ready = tmp_path / f"ready{pty}"
        code = f"import time, os; open({str(ready)!r}, 'w').write(str(os.getpid())); time.sleep(60)"
        child = os.fork()
        if child == 0:
            os.dup2(os.open(os.devnull, os.O_RDWR), 1)
            Target.start(launch(tmp_path, code, pty=pty), Heard())
            time.sleep(60)
            os._exit(0)
        wait_for(ready)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        assert gone(int(ready.read_text())), pty


def test_no_descriptor_thread_or_process_is_left(tmp_path: Path, start: Start) -> None:
    start(launch(tmp_path, ""), Heard()).drain(SECONDS)
    gc.collect()
    descriptors, threads = len(os.listdir("/proc/self/fd")), threading.active_count()
    for pty in (True, False, True):
        target = start(launch(tmp_path, "print(1)", pty=pty), Heard())
        target.drain(SECONDS)
        target.resize(10, 10)
        target.write_input(b"late")
        target.interrupt()
        assert gone(target.pid)
        with pytest.raises(ChildProcessError):
            os.waitpid(target.pid, os.WNOHANG)
    gc.collect()
    assert len(os.listdir("/proc/self/fd")) == descriptors
    deadline = time.monotonic() + SECONDS
    while threading.active_count() > threads and time.monotonic() < deadline:
        time.sleep(0.01)
    assert threading.active_count() == threads


def test_an_interpreter_that_cannot_be_started(
    tmp_path: Path, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = len(os.listdir("/proc/self/fd"))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    with pytest.raises(TargetError, match="cannot start"):
        start(launch(tmp_path, ""), Heard())
    assert len(os.listdir("/proc/self/fd")) == before


def wait_for(path: Path) -> None:
    deadline = time.monotonic() + SECONDS
    while not (path.exists() and path.stat().st_size >= 0):
        assert time.monotonic() < deadline, path
        time.sleep(0.02)
