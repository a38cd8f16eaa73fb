"""Scripts that cannot be run, or that end or behave badly: a clear sentence, the right status, no traceback.

None of these needs TensorFlow; `test_training.py` has the cases in which something is recorded.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import venv
from pathlib import Path
from typing import Any

import pytest

import tapeinspect
from tests.cli.running import COMMAND, OnTerminal, run

ROOT = Path(tapeinspect.__file__).parents[1]


def said(done: subprocess.CompletedProcess[bytes]) -> str:
    """What the program said, which is never a traceback of its own."""
    text = done.stderr.decode()
    assert "Traceback" not in text, text
    return text


def exported(trace: Path) -> list[dict[str, Any]]:
    done = run("export", trace.name, cwd=trace.parent)
    assert (done.returncode, done.stderr) == (0, b""), done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def record(
    directory: Path, code: str, *args: str, status: int = 0, **how: Any
) -> subprocess.CompletedProcess[bytes]:
    """Record a script, and check that it printed and ended as it does alone."""
    (directory / "a.py").write_text(code)
    alone = run("a.py", *args, cwd=directory, command=[sys.executable], **how)
    under = run("record", "a.py", *args, cwd=directory, **how)
    assert under.stdout == alone.stdout
    assert under.returncode == status
    expected = alone.returncode if alone.returncode >= 0 else 128 - alone.returncode
    assert under.returncode == expected
    return under


# scripts that cannot start


def test_a_script_that_is_missing(tmp_path: Path) -> None:
    for command in (["nowhere.py"], ["record", "nowhere.py"]):
        done = run(*command, cwd=tmp_path)
        assert done.returncode == 2
        assert said(done) == "tapeinspect: there is no file nowhere.py\n"
    done = run("record", "-m", "nowhere.at.all", cwd=tmp_path)
    assert done.returncode == 2
    assert said(done).startswith("tapeinspect: there is no module 'nowhere.at.all'\n")
    assert os.listdir(tmp_path) == []


def test_a_directory(tmp_path: Path) -> None:
    done = run(".", cwd=tmp_path)
    assert done.returncode == 2
    assert said(done) == "tapeinspect: . is a directory, not a script\n"


@pytest.mark.parametrize(
    "content", [b"\x7fELF\x02\x01\x01\0\0\0", b"\xff\xd8\xff\xe0\0\x10JFIF\0", b"a = '\xe9'\n"]
)
def test_not_python(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.py").write_bytes(content)
    done = run("record", "a.py", cwd=tmp_path)
    assert done.returncode == 2
    assert said(done).startswith("tapeinspect: a.py is not a Python script: ")
    assert os.listdir(tmp_path) == ["a.py"]


def test_a_syntax_error_is_shown_with_its_line_before_anything_starts(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("open('started', 'w')\nfor batch in range(3)\n    pass\n")
    done = run("record", "a.py", cwd=tmp_path)
    assert done.returncode == 2
    assert said(done).splitlines() == [
        "tapeinspect: a.py, line 2: expected ':'",
        "    for batch in range(3)",
        "                         ^",
    ]
    assert os.listdir(tmp_path) == ["a.py"]


def test_tensorflow_is_missing(tmp_path: Path) -> None:
    venv.create(tmp_path / "venv", with_pip=False)
    (tmp_path / "a.py").write_text("import sys; print('tensorflow' in sys.modules)\nimport tensorflow")
    command = [str(tmp_path / "venv" / "bin" / "python"), "-m", "tapeinspect"]
    done = run("record", "a.py", cwd=tmp_path, command=command, env={"PYTHONPATH": str(ROOT)})
    text = done.stderr.decode()
    assert (done.returncode, done.stdout) == (1, b"False\n")
    assert "tapeinspect: TensorFlow is not installed for this Python, so nothing can be recorded\n" in text
    assert "-m pip install 'tensorflow>=2.16'" in text
    assert "ModuleNotFoundError: No module named 'tensorflow'" in text


def test_tensorflow_is_too_old(tmp_path: Path) -> None:
    package = tmp_path / "site" / "tensorflow"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("__version__ = '2.9.3'")
    (tmp_path / "site" / "tensorflow-2.9.3.dist-info").mkdir()
    env = {"PYTHONPATH": str(tmp_path / "site")}
    done = record(tmp_path, "import tensorflow as tf; print(tf.__version__)", env=env)
    assert done.stdout == b"2.9.3\n"
    assert "TensorFlow 2.9.3 is too old" in said(done)


# scripts that start


def test_no_tensorflow_in_the_script(tmp_path: Path) -> None:
    done = record(tmp_path, "print('no training here')")
    assert "recorded 0 batches | 0 ops" in said(done)
    (meta,) = exported(tmp_path / "a.tape")
    assert (meta["tensorflow"], meta["exit_status"]) == (None, 0)


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("", 0),
        ("raise SystemExit", 0),
        ("import sys; sys.exit(3)", 3),
        ("import os; os._exit(7)", 7),
        ("import os; os.abort()", 128 + signal.SIGABRT),
        ("raise KeyboardInterrupt", 130),
        ("import os, signal; os.kill(os.getpid(), signal.SIGTERM)", 128 + signal.SIGTERM),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", 128 + signal.SIGKILL),
    ],
)
def test_how_a_script_ends(tmp_path: Path, code: str, status: int) -> None:
    record(tmp_path, code, status=status)
    if (
        tmp_path / "a.tape"
    ).exists():  # a script that was killed before it used TensorFlow has nothing to record
        assert exported(tmp_path / "a.tape")[0]["exit_status"] == status


def test_a_script_that_raises(tmp_path: Path) -> None:
    code = "def step(batch):\n    return 1 / batch\n\nstep(0)\n"
    record(tmp_path, code, status=1)
    meta, error = exported(tmp_path / "a.tape")
    assert meta["exit_status"] == 1
    assert (error["type"], error["message"], error["line"]) == ("ZeroDivisionError", "division by zero", 2)
    assert error["file"] == str(tmp_path / "a.py")


def test_a_million_lines(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("for i in range(1_000_000): print(i)")
    command = ["sh", "-c", 'exec "$@" > lines', "sh", *COMMAND]
    assert run("record", "a.py", cwd=tmp_path, command=command).returncode == 0
    assert (tmp_path / "lines").read_bytes() == b"".join(b"%d\n" % i for i in range(1_000_000))


def test_invalid_utf8_and_escape_codes(tmp_path: Path) -> None:
    code = "import os\nos.write(1, b'\\xff\\xfe\\x00\\x1b[31m\\x1b]0;title\\x07\\x9b2J\\r\\n')"
    assert record(tmp_path, code).stdout == b"\xff\xfe\x00\x1b[31m\x1b]0;title\x07\x9b2J\r\n"


def test_names_and_arguments_that_are_no_utf8(tmp_path: Path) -> None:
    name = os.fsdecode(b"\xff\xfe.py")
    (tmp_path / name).write_text("import os, sys; os.write(1, os.fsencode('|'.join(sys.argv)))")
    done = run("record", "-o", "a.tape", name, os.fsdecode(b"\xe9"), cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, b"\xff\xfe.py|\xe9")
    said(done)
    assert exported(tmp_path / "a.tape")[0]["exit_status"] == 0


def test_fork(tmp_path: Path) -> None:
    code = """
import atexit, os, sys
atexit.register(print, "exit handler", flush=True)
print("before", flush=True)
child = os.fork()
if child == 0:
    print("child", flush=True)
    sys.exit(5)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
sys.exit(4)
"""
    record(tmp_path, code, status=4)
    assert exported(tmp_path / "a.tape")[0]["exit_status"] == 4


def test_multiprocessing_with_spawn(tmp_path: Path) -> None:
    code = """
import multiprocessing, os, sys
def child(number): return number, sorted(k for k in os.environ if "TAPEINSPECT" in k)
if __name__ == "__main__":
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        print(pool.map(child, [1, 2]))
"""
    assert record(tmp_path, code).stdout == b"[(1, []), (2, [])]\n"


@pytest.mark.pty
@pytest.mark.parametrize("delay", [0.0, 0.1, 0.2, 0.4, 0.8])
def test_ctrl_c_before_the_script_has_started(tmp_path: Path, delay: float) -> None:
    """It ends at once, with 130, or with 1 as Python does when it is interrupted in its own start."""
    (tmp_path / "a.py").write_text("import time; time.sleep(50)")
    with OnTerminal([*COMMAND, "record", "-q", "a.py"], tmp_path) as terminal:
        time.sleep(delay)
        terminal.type(b"\x03")
        assert terminal.wait() in (1, 130)
        assert b"tapeinspect itself failed" not in terminal.written


@pytest.mark.pty
def test_the_terminal_is_closed_under_the_screen(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(
        "import os, time; open('pid', 'w').write(str(os.getpid())); time.sleep(600)"
    )
    with OnTerminal([*COMMAND, "a.py"], tmp_path) as terminal:
        while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text():
            terminal.read_until(b"\x1b[")
        terminal.hang_up()
        terminal.wait()
    assert not Path(f"/proc/{(tmp_path / 'pid').read_text()}").exists()
