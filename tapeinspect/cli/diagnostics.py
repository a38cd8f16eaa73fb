"""What the program says on stderr, and the exit status that an error leads to. Nothing else writes there."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable

from tapeinspect.errors import ExitCode, TapeinspectError

PREFIX = "tapeinspect: "


def say(message: str, hint: str = "") -> None:
    """Write a message, and a hint on a line of its own. A terminal that has gone away is no error."""
    text = f"{PREFIX}{message}\n" + (f"  {hint}\n" if hint else "")
    stream = sys.__stderr__
    if stream is not None:
        with contextlib.suppress(OSError, ValueError):
            stream.write(text)
            stream.flush()


def run_guarded(command: Callable[[], int]) -> int:
    """Run a command and turn whatever goes wrong into a sentence and an exit status."""
    try:
        status = command()
        if sys.stdout is not None:
            sys.stdout.flush()
        return status
    except TapeinspectError as error:
        say(error.message, error.hint)
        return error.exit_code
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    except BrokenPipeError:  # `tapeinspect export run.tape | head`
        _drop_stdout()
        return ExitCode.OK
    except Exception as error:
        _say_unexpected(error)
        return ExitCode.INTERNAL


def _drop_stdout() -> None:
    """Keep the interpreter from writing to the closed pipe when it ends."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def _say_unexpected(error: Exception) -> None:
    import traceback

    text = "".join(traceback.format_exception(error))
    name = type(error).__name__
    what = (
        f"tapeinspect itself failed: {name}: {error}" if str(error) else f"tapeinspect itself failed: {name}"
    )
    if os.environ.get("TAPEINSPECT_DEBUG"):
        say(what)
        sys.stderr.write(text)
        return
    say(what, f"please report it with {_save(text)}")


def _save(text: str) -> str:
    import tempfile

    try:
        with tempfile.NamedTemporaryFile(
            "w", prefix="tapeinspect-", suffix=".txt", delete=False, encoding="utf-8", errors="replace"
        ) as file:
            file.write(text)
    except OSError:
        return "what TAPEINSPECT_DEBUG=1 in the environment makes it show"
    return f"the traceback in {file.name}"
