"""`tapeinspect SCRIPT`: the screen on a running script."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from tapeinspect.cli.diagnostics import say
from tapeinspect.cli.options import add_recording_options, take_apart
from tapeinspect.cli.parsing import Parser

if TYPE_CHECKING:
    from tapeinspect.session.launch import Launch

USAGE = "tapeinspect [OPTIONS] SCRIPT [ARGS...]\n       tapeinspect [OPTIONS] -m MODULE [ARGS...]"
COMMANDS = """\
commands:
  tapeinspect record SCRIPT [ARGS...]   the same without a screen: run, record, show progress on stderr
  tapeinspect open TRACE                look at a recording
  tapeinspect autograph SCRIPT          your source beside what AutoGraph makes of it
  tapeinspect diff SCRIPT               where the traced (tf.function) step differs from the eager one
  tapeinspect diff TRACE TRACE          where two recordings differ
  tapeinspect export TRACE              a recording as data on stdout
  tapeinspect report TRACE              what is wrong with the training, in words
  tapeinspect info                      versions and paths: what a bug report needs

Options come before SCRIPT, and everything after it is the script's. A script that is named like a command
is run as ./record.
"""


def run(name: str, argv: Sequence[str]) -> int:
    """Run a script under the screen, or without one when there is no terminal; the script's exit status."""
    parser = Parser(name, USAGE, "Run a TensorFlow training script and see what each batch does.", COMMANDS)
    add_recording_options(parser)
    line = take_apart(argv)
    options = parser.parse_args(line.options)
    from tapeinspect.cli.prepare import prepare

    screen = has_terminal()
    launch = prepare(line, options, screen)
    if not screen:
        from tapeinspect.cli.record import record

        say("there is no terminal to draw on, so this records as `tapeinspect record` does")
        return record(launch, quiet=False)
    from tapeinspect.cli.signals import ending_on_signals

    with ending_on_signals():
        from tapeinspect.ui.run import run_script

        status = run_script(launch)
    settle(launch)
    return status


def settle(launch: Launch) -> None:
    """Make one file of the recording, now that the screen no longer reads it."""
    from tapeinspect.trace import writer

    writer.settle(launch.config.output)


def has_terminal() -> bool:
    """Whether the screen has a terminal to draw on and to read keys from."""
    return all(stream is not None and stream.isatty() for stream in (sys.__stdin__, sys.__stderr__))
