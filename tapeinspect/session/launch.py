"""What to run as the target, and the process that runs it: the user's interpreter on the user's script."""

from __future__ import annotations

import dataclasses
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tapeinspect.errors import TargetError
from tapeinspect.link.messages import Config, Trouble, config_to_json

BOOTSTRAP = Path(__file__).parents[1] / "probe" / "bootstrap"
"""The directory whose `sitecustomize.py` brings the probe into the target."""

# For interpreters built without POSIX_SPAWN_SETSID. The first terminal that the leader of a new session opens
# is its controlling one.
_STUB = (
    "import os, sys; os.setsid(); t = os.open(sys.argv[1], os.O_RDWR); [os.dup2(t, n) for n in (0, 1, 2)]; "
    "t > 2 and os.close(t); os.execv(sys.executable, [sys.executable, *sys.argv[2:]])"
)
# What the Python interpreter itself changes at its start, and a program it starts should not inherit.
_RESTORED = [getattr(signal, name) for name in ("SIGPIPE", "SIGXFSZ") if hasattr(signal, name)]


@dataclass(frozen=True, slots=True)
class Launch:
    """What to run, and how to record it. Exactly one of `script` and `module` is set."""

    script: Path | None
    module: str | None
    args: tuple[str, ...]
    """What the script finds in `sys.argv[1:]`."""
    config: Config
    """`control` is filled in when the target starts. `argv[0]` is the script as the user wrote it."""
    pty: bool
    """True: the script's stdin, stdout and stderr are a terminal of ours; False: they are inherited."""
    env: Mapping[str, str]
    """The environment of the script, as it was before Textual touched it."""
    size: tuple[int, int] = (80, 24)
    """Columns and rows of the terminal."""
    to_stderr: bool = False
    """What the script prints on stdout goes to stderr, since stdout is for what the tool has to say."""
    imports: str | None = None
    """Only import the script, and do the works of `config` on the function of this name in it."""
    notes: tuple[Trouble, ...] = ()
    """What was found to be amiss before the start; the listener hears of it first."""
    output_on_stderr: bool = False
    """What the script writes on its stdout goes to our stderr: our stdout is for data. Without a terminal only."""

    @property
    def name(self) -> str:
        """What a user calls it: the script's path as given, or `-m module`."""
        return str(self.script) if self.script is not None else f"-m {self.module}"


def arguments(launch: Launch) -> list[str]:
    """The arguments of the interpreter."""
    if launch.imports is not None:
        return ["-m", "tapeinspect.probe.imported", str(launch.script), *launch.args]
    if launch.script is None:
        return ["-m", str(launch.module), *launch.args]
    as_written = (
        launch.config.argv[0] if launch.config.argv else str(launch.script)
    )  # Path drops a leading ./
    return [as_written, *launch.args]


def environment(launch: Launch, control: int) -> dict[str, str]:
    """The script's environment, with the variables by which the probe gets in; it takes them out again."""
    env = dict(launch.env)
    own = env.pop("PYTHONPATH", None)
    env.pop("TAPEINSPECT_PYTHONPATH", None)
    if own is not None:
        env["TAPEINSPECT_PYTHONPATH"] = own
    env["PYTHONPATH"] = os.pathsep.join(filter(None, (str(BOOTSTRAP), own)))
    env["TAPEINSPECT_TARGET"] = config_to_json(dataclasses.replace(launch.config, control=control))
    return env


def spawn(launch: Launch, control: int, terminal: str | None) -> int:
    """Start the target and return its process id. Raises TargetError.

    `control` is the target's end of the socketpair. With `terminal`, the path of a pty, the target leads a
    session of its own with that as controlling terminal; else it shares our process group, so that Ctrl+C
    reaches it.
    """
    if not sys.executable:
        raise TargetError(
            "cannot tell which Python interpreter is running", "start tapeinspect by its full path"
        )
    # a number that is free here takes nothing away from what the user passes on to the script
    number = os.dup(control)
    actions: list[tuple[Any, ...]] = [(os.POSIX_SPAWN_DUP2, control, number)]
    if terminal is None and launch.to_stderr:
        actions.append((os.POSIX_SPAWN_DUP2, 2, 1))
    if terminal is not None:
        actions.append((os.POSIX_SPAWN_OPEN, 0, terminal, os.O_RDWR, 0))
        actions += [(os.POSIX_SPAWN_DUP2, 0, 1), (os.POSIX_SPAWN_DUP2, 0, 2)]
    elif launch.output_on_stderr:
        actions.append((os.POSIX_SPAWN_DUP2, 2, 1))
    try:
        return _spawn(arguments(launch), environment(launch, number), actions, terminal)
    except OSError as error:
        raise TargetError(f"cannot start {sys.executable}: {error.strerror}") from error
    finally:
        os.close(number)


def _spawn(
    args: Sequence[str], env: Mapping[str, str], actions: Sequence[tuple[Any, ...]], terminal: str | None
) -> int:
    command = [sys.executable, *args]
    if terminal is None:
        return os.posix_spawn(sys.executable, command, env, file_actions=actions, setsigdef=_RESTORED)
    try:
        return os.posix_spawn(
            sys.executable, command, env, file_actions=actions, setsid=True, setsigdef=_RESTORED
        )
    except NotImplementedError:
        command = [sys.executable, "-I", "-S", "-c", _STUB, terminal, *args]
        return os.posix_spawn(sys.executable, command, env, file_actions=actions[:1], setsigdef=_RESTORED)
