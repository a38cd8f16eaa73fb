"""`python server.pyc SOCKET`: runs scripts in forks of a process that has imported TensorFlow already.

Importing it takes many times as long as most of the scripts. Each message on the socket, a JSON object with `command`
(what stands behind `python`), `cwd`, `env` and `record`, comes with four descriptors: stdin, stdout and stderr, and
where the process id and, in the end, the wait status are written, a line each. With `record` the command is what stands
behind `tapeinspect`, which runs with the target that it starts as a fork, too.

Nothing but the import has happened when a script begins: no op has run, so there is no context and none of
TensorFlow's threads. TensorFlow is imported when the script does it: then the probe gets in, and what the import said
on stderr is said again.
"""

from __future__ import annotations

import gc
import json
import os
import runpy
import socket
import sys
import tempfile
import types
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib.machinery import ModuleSpec, SourceFileLoader
from typing import Any, NamedTuple

LONGEST = 1 << 17
"""Bytes of a message."""
PACKAGES = ("tensorflow", "keras")
"""What is there already, and yet is to be imported. Keras imports TensorFlow, and TensorFlow Keras."""


class Start(NamedTuple):
    """What a process is to run."""

    command: list[str]
    cwd: str
    env: dict[str, str]
    record: bool = False


def serve(requests: socket.socket) -> Start:
    """Fork for each request until there is no more; returns in the process that is to run something."""
    while True:
        message, given, _, _ = socket.recv_fds(requests, LONGEST, 4)
        if not message:
            reap(0)
            os._exit(0)
        if os.fork() == 0:
            if (child := os.fork()) == 0:
                requests.close()
                take(given)
                return Start(**json.loads(message))
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


class Target:
    """A fork in waiting, which the tool starts when it would start an interpreter."""

    def __init__(self) -> None:
        self._requests, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.start: Start | None = None
        """In the fork: what to run."""
        with theirs:
            self._pid = os.fork()
            if self._pid == 0:
                self._requests.close()
                self.start = self._wait(theirs)

    def _wait(self, requests: socket.socket) -> Start:
        message, given, _, _ = socket.recv_fds(requests, LONGEST, 1)
        if not message:  # the tool has ended without a target
            os._exit(0)
        number, to_stderr, start = json.loads(message)
        os.dup2(given[0], number)
        if given[0] != number:
            os.close(given[0])
        if to_stderr:
            os.dup2(2, 1)
        return Start(*start)

    def spawn(
        self,
        args: Sequence[str],
        env: Mapping[str, str],
        actions: Sequence[tuple[Any, ...]],
        terminal: str | None,
    ) -> int:
        """In the tool, instead of `tapeinspect.session.launch._spawn`."""
        (_, control, number), *more = actions
        assert terminal is None and more in ([], [(os.POSIX_SPAWN_DUP2, 2, 1)]), "a fork gets no terminal"
        message = json.dumps((number, bool(more), Start([*args], os.getcwd(), {**env}))).encode()
        socket.send_fds(self._requests, [message], [control])
        return self._pid


class Parked:
    """Gives a module that is there already to the first who imports it."""

    def __init__(self, name: str, said: bytes) -> None:
        self._module = sys.modules.pop(name)
        self._said = said
        self._name = name

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        """Its spec, once."""
        if name != self._name or self not in sys.meta_path:
            return None
        sys.meta_path.remove(self)  # type: ignore[arg-type]
        before = self._module.__spec__
        assert before is not None
        spec = ModuleSpec(name, self, origin=before.origin, is_package=True)  # type: ignore[arg-type]
        spec.submodule_search_locations = before.submodule_search_locations
        self._spec = before
        return spec

    def create_module(self, spec: ModuleSpec) -> types.ModuleType:
        """The module itself."""
        return self._module

    def exec_module(self, module: types.ModuleType) -> None:
        """What importing it does that another can see."""
        module.__spec__, module.__loader__ = self._spec, self._spec.loader
        for other in PACKAGES:
            if other != self._name:
                __import__(other)
        if self._said:
            os.write(2, self._said)


def begin(start: Start, said: bytes) -> None:
    """Arrange what an interpreter does before it looks at its command line."""
    searched = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    own = sys.path[1 + len([entry for entry in searched if entry]) :]
    os.chdir(start.cwd)
    os.environ.clear()
    os.environ.update(start.env)
    sys.path[:] = [*filter(None, start.env.get("PYTHONPATH", "").split(os.pathsep)), *own]
    for name in ("sitecustomize", "usercustomize"):
        sys.modules.pop(name, None)
    for name in PACKAGES:
        sys.meta_path.insert(0, Parked(name, said if name == "tensorflow" else b""))  # type: ignore[arg-type]
    with suppress(ImportError):
        import sitecustomize  # noqa: F401  # the probe, in a target


def become(path: str, args: list[str]) -> tuple[types.CodeType, dict[str, Any]]:
    """Arrange everything as `python PATH ARGS` finds it; gives the script's code and where to run it."""
    file = os.path.abspath(path)
    sys.path.insert(0, os.path.dirname(file))
    module = new_main(path, *args)
    sys.argv[:] = [path, *args]
    module.__dict__.update(__file__=file, __loader__=SourceFileLoader("__main__", file))
    with open(file, "rb") as source:
        return compile(source.read(), file, "exec", dont_inherit=True), module.__dict__


def new_main(*argv: str) -> types.ModuleType:
    """An empty `__main__` for a command line."""
    sys.orig_argv[1:] = argv
    module = sys.modules["__main__"] = types.ModuleType("__main__")
    module.__dict__["__builtins__"] = __builtins__
    return module


def become_module(name: str, args: list[str]) -> None:
    """Do what `python -m NAME ARGS` does."""
    new_main("-m", name, *args)
    sys.path.insert(0, os.getcwd())
    sys.argv[:] = ["-m", *args]
    runpy._run_module_as_main(name)  # type: ignore[attr-defined]


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
    START = serve(socket.socket(fileno=int(sys.argv[1])))
    TARGET = Target() if START.record else None
    if TARGET is not None and TARGET.start is not None:
        START, TARGET = TARGET.start, None
    begin(START, SAID)
    if TARGET is not None:
        from tapeinspect.session import launch

        launch._spawn = TARGET.spawn  # type: ignore[assignment]
    if START.command[0] == "-m":
        become_module(START.command[1], START.command[2:])
    else:
        exec(*become(START.command[0], START.command[1:]))
