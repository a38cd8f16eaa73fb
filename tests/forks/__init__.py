"""Running scripts, and `tapeinspect` on them, in forks of one process that has imported TensorFlow: the tests' side."""

from __future__ import annotations

import json
import marshal
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from importlib.util import MAGIC_NUMBER
from pathlib import Path
from typing import BinaryIO, Final

SERVER: Final = Path(__file__).parent / "server.py"
START: Final = 120.0
"""Seconds that the import of TensorFlow may take."""


class Forks:
    """Starts the process at the first script; scripts may run side by side."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._server: subprocess.Popen[bytes] | None = None
        self._requests: socket.socket | None = None

    def run(
        self, path: Path, args: Sequence[str], cwd: Path | str, seconds: float, imports: Sequence[Path] = ()
    ) -> subprocess.CompletedProcess[bytes]:
        """What `python PATH ARGS` does, which may import from these folders. Raises TimeoutError."""
        return self._run([str(path), *args], cwd, seconds, imports, {}, record=False)

    def tapeinspect(
        self,
        args: Sequence[str],
        cwd: Path | str,
        seconds: float,
        imports: Sequence[Path] = (),
        env: Mapping[str, str] | None = None,
    ) -> subprocess.CompletedProcess[bytes]:
        """What `tapeinspect ARGS` does without a terminal; it and its target are forks. Raises TimeoutError.

        env: what its environment has besides ours; TensorFlow has been imported under ours.
        """
        return self._run(["-m", "tapeinspect", *args], cwd, seconds, imports, env or {}, record=True)

    def _run(
        self,
        command: list[str],
        cwd: Path | str,
        seconds: float,
        imports: Sequence[Path],
        more: Mapping[str, str],
        record: bool,
    ) -> subprocess.CompletedProcess[bytes]:
        path = os.pathsep.join(filter(None, [*map(str, imports), os.environ.get("PYTHONPATH")]))
        env = {**os.environ, "PYTHONPATH": path, **more}
        request = {"command": command, "cwd": str(cwd), "env": env, "record": record}
        with ExitStack() as stack:
            out, err = (stack.enter_context(tempfile.TemporaryFile(dir=self._folder)) for _ in range(2))
            nothing = stack.enter_context(open(os.devnull, "rb"))
            read, write = os.pipe()
            answers = stack.enter_context(os.fdopen(read, "rb", buffering=0))
            try:
                self._send(request, [nothing.fileno(), out.fileno(), err.fileno(), write])
            finally:
                os.close(write)
            code = os.waitstatus_to_exitcode(_status(answers, seconds))
            out.seek(0)
            err.seek(0)
            return subprocess.CompletedProcess(command, code, out.read(), err.read())

    def close(self) -> None:
        """End the process."""
        with self._lock:
            if self._server is not None and self._requests is not None:
                self._requests.close()
                self._server.wait(30)

    def _send(self, request: dict[str, object], descriptors: list[int]) -> None:
        with self._lock:
            if self._requests is None:
                self._requests, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
                with theirs:
                    self._server = subprocess.Popen(
                        [sys.executable, str(self._compiled()), str(theirs.fileno())],
                        stdin=subprocess.DEVNULL,
                        stdout=subprocess.DEVNULL,
                        pass_fds=[theirs.fileno()],
                    )
            socket.send_fds(self._requests, [json.dumps(request).encode()], descriptors)

    def _compiled(self) -> Path:
        """The server, so that its frame counts among Python's own, as that of `runpy` does: below every script."""
        code = compile(SERVER.read_bytes(), "<frozen server>", "exec")
        path = self._folder / "server.pyc"
        path.write_bytes(MAGIC_NUMBER + bytes(12) + marshal.dumps(code))
        return path


def _status(answers: BinaryIO, seconds: float) -> int:
    """The wait status that the process answers with; it is killed when it does not end in time."""
    pid = int(_line(answers, START))
    try:
        return int(_line(answers, seconds))
    except TimeoutError:
        os.kill(pid, signal.SIGKILL)
        raise


def _line(answers: BinaryIO, seconds: float) -> bytes:
    if not select.select([answers], [], [], seconds)[0]:
        raise TimeoutError(f"no answer for {seconds} s from the process that has imported TensorFlow")
    line = answers.readline()
    assert line, "the process that has imported TensorFlow is gone"
    return line
