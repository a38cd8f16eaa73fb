"""`python server.py SOCKET`: runs scripts in forks of a process that has imported TensorFlow already.

Importing it takes many times as long as most of the scripts. Each message on the socket, a JSON object with `path`,
`args`, `cwd` and `imports` (folders), comes with four descriptors: the script's stdin, stdout and stderr, and where
its process id and, in the end, its wait status are written, a line each.

Nothing but the import has happened when a script begins: no op has run, so there is no context and none of
TensorFlow's threads. What the import said on stderr is said again by each script.
"""

from __future__ import annotations

import gc
import json
import os
import socket
import sys
import tempfile
import types
from contextlib import suppress
from importlib.machinery import SourceFileLoader
from typing import Any

LONGEST = 1 << 16
"""Bytes of a message."""


def serve(requests: socket.socket) -> dict[str, Any]:
    """Fork for each request until there is no more; returns in the process that is to run a script."""
    while True:
        message, given, _, _ = socket.recv_fds(requests, LONGEST, 4)
        if not message:
            reap(0)
            os._exit(0)
        if os.fork() == 0:
            if (child := os.fork()) == 0:
                requests.close()
                take(given)
                return json.loads(message)  # type: ignore[no-any-return]
            _, status = os.waitpid(child, 0)
            os.write(given[3], b"%d\n" % status)
            os._exit(0)
        for descriptor in given:
            os.close(descriptor)
        reap(os.WNOHANG)


def reap(options: int) -> None:
    """Take leave of children that are through, or wait for all."""
    with suppress(ChildProcessError):
        while os.waitpid(-1, options)[0]:
            pass


def take(given: list[int]) -> None:
    """Make the descriptors of a request this process's own."""
    os.write(given[3], b"%d\n" % os.getpid())
    os.close(given[3])
    for number, descriptor in enumerate(given[:3]):
        os.dup2(descriptor, number)
        os.close(descriptor)


def become(path: str, args: list[str], cwd: str, imports: list[str]) -> tuple[types.CodeType, dict[str, Any]]:
    """Arrange everything as `python PATH ARGS` finds it; gives the script's code and where to run it."""
    os.chdir(cwd)
    sys.argv[:] = [path, *args]
    sys.orig_argv[1:] = sys.argv
    sys.path[:1] = [os.path.dirname(path), *imports]
    module = types.ModuleType("__main__")
    module.__dict__.update(
        __file__=path, __builtins__=__builtins__, __loader__=SourceFileLoader("__main__", path)
    )
    sys.modules["__main__"] = module
    with open(path, "rb") as file:
        return compile(file.read(), path, "exec", dont_inherit=True), module.__dict__


def import_tensorflow() -> bytes:
    """Import it; gives what that said on stderr."""
    with tempfile.TemporaryFile() as said:
        before = os.dup(2)
        os.dup2(said.fileno(), 2)
        try:
            import tensorflow  # noqa: F401
        finally:
            sys.stderr.flush()
            os.dup2(before, 2)
            os.close(before)
        said.seek(0)
        return said.read()


if __name__ == "__main__":
    SAID = import_tensorflow()
    gc.collect()
    gc.freeze()  # else each collection in a fork would copy all of TensorFlow's objects
    REQUEST = serve(socket.socket(fileno=int(sys.argv[1])))
    os.write(2, SAID)
    exec(*become(**REQUEST))
