"""What a script finds when it is run as a target: the same as without us."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tapeinspect.session.target import Target
from tests.session.running import SECONDS, Heard, launch

Start = Callable[..., Target]

FACTS = """
import json, os, signal, sys
out = sys.argv[1]
json.dump({
    "argv": sys.argv[1:], "name": __name__, "executable": sys.executable, "path": sys.path,
    "flags": list(sys.flags), "environ": dict(os.environ), "cwd": os.getcwd(),
    "orig_argv": sys.orig_argv,
    "signals": {s.name: str(signal.getsignal(s)) for s in signal.Signals if s.name != "SIGSTOP"},
    "blocked": sorted(signal.pthread_sigmask(signal.SIG_BLOCK, [])),
    "spec": repr(__spec__), "stdin": os.fstat(0).st_mode,
}, open(out, "w"))
"""


def facts(path: Path) -> dict[str, Any]:
    return dict(json.loads(path.read_text()))


@pytest.mark.parametrize("pythonpath", [None, "", "/a:/b"])
def test_everything_is_as_without_us(tmp_path: Path, start: Start, pythonpath: str | None) -> None:
    env = {"odd.name": "kept", "TERM": "dumb"} | ({} if pythonpath is None else {"PYTHONPATH": pythonpath})
    what = launch(tmp_path, FACTS, "out.json", "--help", "--", "-o", pty=False, env=env)
    if pythonpath is None:
        what = replace(what, env={k: v for k, v in what.env.items() if k != "PYTHONPATH"})
    script = str(what.script)
    alone, under = tmp_path / "alone.json", tmp_path / "under.json"
    arguments = ["--help", "--", "-o", "ü"]
    subprocess.run([sys.executable, script, str(alone), *arguments], env=what.env, check=True, timeout=30)
    under_us = start(replace(what, args=(str(under), *arguments)), Heard())
    assert under_us.wait(SECONDS) == 0
    expected, found = facts(alone), facts(under)
    for body in (expected, found):
        body["argv"] = body["argv"][1:]
        body["orig_argv"] = [arg for arg in body["orig_argv"] if not arg.endswith(".json")]
    assert found == expected


def test_a_module(tmp_path: Path, start: Start) -> None:
    out = tmp_path / "out.json"
    package = tmp_path / "package"
    package.mkdir()
    (package / "__main__.py").write_text(FACTS)
    what = launch(tmp_path, "", pty=False, env={"PYTHONPATH": str(tmp_path)})
    target = start(replace(what, script=None, module="package", args=(str(out), "x")), Heard())
    assert target.wait(SECONDS) == 0
    assert facts(out)["argv"] == [str(out), "x"]
    assert facts(out)["environ"]["PYTHONPATH"] == str(tmp_path)
    assert "package.__main__" in facts(out)["spec"]


TERMINAL = """
import os, sys
print(*(os.isatty(n) for n in (0, 1, 2)))
print(os.getsid(0) == os.getpid(), os.tcgetpgrp(0) == os.getpgrp(), os.ttyname(0) == os.ttyname(2))
print(*os.get_terminal_size())
with open("/dev/tty", "w") as tty: print("to the terminal", file=tty)
print(input("name? "))
import signal
signal.signal(signal.SIGWINCH, lambda *_: print(*os.get_terminal_size()))
print("ready")
try:
    while True: signal.pause()
except KeyboardInterrupt:
    print("interrupted")
"""


@pytest.mark.parametrize("setsid", [True, False], ids=["setsid", "without setsid in posix_spawn"])
def test_a_terminal_of_its_own(
    tmp_path: Path, start: Start, setsid: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not setsid:
        monkeypatch.setattr(os, "posix_spawn", without_setsid(os.posix_spawn))
    heard = Heard()
    target = start(launch(tmp_path, TERMINAL, size=(101, 33)), heard)
    heard.until(lambda h: "name? " in h.text)
    target.write_input("Zoë\n".encode())
    heard.until(lambda h: "ready\r\n" in h.text)
    target.resize(60, 16)
    heard.until(lambda h: "60 16\r\n" in h.text)
    target.write_input(b"\x03")
    assert target.wait(SECONDS) == 0
    assert target.drain(SECONDS)
    assert heard.text.replace("\r", "").splitlines() == [
        "True True True",
        "True True True",
        "101 33",
        "to the terminal",
        "name? Zoë",
        "Zoë",
        "ready",
        "60 16",
        "^Cinterrupted",
    ]


def without_setsid(real: Callable[..., int]) -> Callable[..., int]:
    def posix_spawn(*args: Any, setsid: bool = False, **options: Any) -> int:
        if setsid:
            raise NotImplementedError
        return real(*args, **options)

    return posix_spawn


def test_much_input_does_not_block_us(tmp_path: Path, start: Start) -> None:
    heard = Heard()
    code = """
import sys, time
time.sleep(0.3)
print(sum(len(sys.stdin.readline()) for _ in range(5000)))
"""
    target = start(launch(tmp_path, code), heard)
    target.write_input(b"0123456789\n" * 5000)
    assert target.wait(SECONDS) == 0
    target.drain(SECONDS)
    assert heard.text.endswith("55000\r\n")


def test_descriptors_that_the_user_passes_on(tmp_path: Path, start: Start) -> None:
    read, write = os.pipe()
    os.set_inheritable(write, True)
    target = start(launch(tmp_path, f"import os; os.write({write}, b'through')", pty=False), Heard())
    os.close(write)
    assert target.wait(SECONDS) == 0
    assert os.read(read, 100) == b"through"
    os.close(read)
