"""`tapeinspect diff SCRIPT`: run the step eagerly and traced, and say where they differ; or two recordings."""

from __future__ import annotations

import argparse
import dataclasses
import math
import os
import shutil
import sys
from argparse import Namespace
from collections.abc import Sequence
from typing import TYPE_CHECKING

from tapeinspect.cli.options import CommandLine, take_apart
from tapeinspect.cli.parsing import Parser, count, size
from tapeinspect.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from tapeinspect.link.messages import Trouble
    from tapeinspect.session.launch import Launch

USAGE = """\
tapeinspect diff [OPTIONS] SCRIPT [ARGS...]
       tapeinspect diff [OPTIONS] -m MODULE [ARGS...]
       tapeinspect diff [OPTIONS] TRACE TRACE"""
DESCRIPTION = """\
Run a training script up to a batch, then run the step on that batch both eagerly and as a tf.function, from the same
state and with the same random numbers, and say where the two differ: in code, ops, values, behaviour and speed. What
the script prints goes to stderr. Or hold two recordings against each other, batch by batch.
"""
EPILOG = "exit status: 0 the same, 1 different or the step cannot be traced, 2 usage, 125 tapeinspect itself failed"


def run(name: str, argv: Sequence[str]) -> int:
    """Compare and report; 0 for the same, 1 for differences. Raises UsageError."""
    parser = Parser(f"tapeinspect {name}", USAGE, DESCRIPTION, EPILOG)
    parser.add_argument("--format", choices=("text", "json"), default="text")
    parser.add_argument(
        "--steps",
        type=count,
        metavar="N",
        help="compare on the N-th batch (default: the first); of two recordings, compare the first N (default: all)",
    )
    parser.add_argument(
        "--tolerance",
        type=_tolerance,
        metavar="R",
        help="relative difference that is rounding (default: by dtype)",
    )
    parser.add_argument(
        "--only", choices=("code", "ops", "values", "behaviour"), help="show one part of the report only"
    )
    parser.add_argument("--xla", action="store_true", help="compare with the step compiled by XLA, too")
    parser.add_argument(
        "--grappler", action="store_true", help="show which ops Grappler fuses, folds or removes, by line"
    )
    parser.add_argument("--color", choices=("auto", "always", "never"), default="auto", help="colours (auto)")
    parser.add_argument("-o", "--output", metavar="FILE", help="keep the recording with the comparison in it")
    parser.add_argument(
        "--memory", type=size, metavar="SIZE", default=512 << 20, help="memory for the values compared (512M)"
    )
    parser.set_defaults(mode="eager", values="off", max_size=2 << 30, no_source=False, no_values=False)
    line = take_apart(argv)
    options = parser.parse_args(line.options)
    if _is_recording(line.script):
        return _recordings(line, options)
    options.steps = options.steps or 1
    if options.output is not None:
        return _compare(line, options, name)
    import tempfile

    with tempfile.TemporaryDirectory(prefix="tapeinspect-") as folder:
        options.output = os.path.join(folder, "diff.tape")
        return _compare(line, options, name)


def _is_recording(script: str | None) -> bool:
    """Whether what is to be compared is a recording rather than a script."""
    if script is None:
        return False
    try:
        with open(script, "rb") as file:
            return file.read(16) == b"SQLite format 3\0"
    except OSError:
        return script.endswith(".tape")


def _recordings(line: CommandLine, options: Namespace) -> int:
    if len(line.args) != 1:
        raise UsageError("two recordings are needed to compare them", "tapeinspect diff A.tape B.tape")
    if options.xla or options.grappler:
        raise UsageError("--xla and --grappler run the step, so they need a script, not a recording")
    if options.only == "behaviour":
        raise UsageError("--only behaviour is about a script; two recordings have code, ops and values")
    import json

    from tapeinspect.analysis.recordings.compare import compare
    from tapeinspect.report import recordings as report
    from tapeinspect.trace.reader import open_trace

    names = (str(line.script), line.args[0])
    first, second = open_trace(names[0]), open_trace(names[1])
    found = compare(first, second, options.steps, options.tolerance)
    if options.format == "json":
        sys.stdout.write(json.dumps(report.json_body(found)) + "\n")
    else:
        colour = options.color == "always" or (options.color == "auto" and _coloured())
        sys.stdout.write(report.text(found, names, colour, options.only))
    return ExitCode.FINDINGS if found.verdict == "real" else ExitCode.OK


def _tolerance(text: str) -> float:
    """A number from 0."""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 <= number < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number such as 1e-5")
    return number


def _compare(line: CommandLine, options: Namespace, name: str) -> int:
    from tapeinspect.cli.prepare import prepare

    batch, options.steps = options.steps, None
    launch = prepare(line, options, screen=False)
    wanted = {
        "tolerance": options.tolerance,
        "ops": options.only not in ("behaviour", "values"),
        "xla": options.xla,
        "grappler": options.grappler,
        "code": options.only in (None, "code"),
    }
    work = {"work": (name,), "work_step": batch, "work_options": wanted, "work_ends": True}
    config = dataclasses.replace(launch.config, **work)
    launch = dataclasses.replace(launch, config=config, output_on_stderr=True)
    troubles = _run(launch)
    return _report(launch, options, troubles)


def _run(launch: Launch) -> list[Trouble]:
    """Run the script; what was amiss."""
    from tapeinspect.cli.signals import passing_on
    from tapeinspect.link.messages import Trouble
    from tapeinspect.session.target import Event, Target

    troubles: list[Trouble] = []

    def hear(event: Event) -> None:
        if isinstance(event, Trouble):
            troubles.append(event)

    with passing_on() as deliver:
        target = Target.start(launch, hear)
        deliver(target)
        target.drain()
    if target.exit_status == 130:
        raise KeyboardInterrupt
    return troubles


def _report(launch: Launch, options: Namespace, troubles: list[Trouble]) -> int:
    from pathlib import Path

    from tapeinspect.errors import TraceError
    from tapeinspect.trace.reader import open_trace

    try:
        reader = open_trace(Path(launch.config.output))
    except TraceError as error:
        raise UsageError("nothing was recorded, so there is nothing to compare", error.message) from None
    try:
        found = reader.differences.all()
        if not found:
            raise _nothing(launch, troubles, len(reader.steps()))
        if options.format == "json":
            from tapeinspect.report.diff_json import write
        else:
            from tapeinspect.report.diff_text import write
        colour = options.color == "always" or (options.color == "auto" and _coloured())
        width = shutil.get_terminal_size((160, 24)).columns
        write(reader, found[-1], sys.stdout, colour=colour, only=options.only, width=width)
        return ExitCode.OK if found[-1].verdict == "same" else ExitCode.FINDINGS
    finally:
        reader.close()


def _nothing(launch: Launch, troubles: list[Trouble], steps: int) -> UsageError:
    """Why there is no comparison."""
    for trouble in troubles:
        return UsageError(trouble.message, trouble.hint)
    if not steps:
        return UsageError(
            f"{launch.name} ended without a training step, so there is nothing to compare",
            "a step is a call in which a tf.GradientTape is opened, or Keras' train_step",
        )
    return UsageError(
        f"{launch.name} ended before batch {launch.config.work_step}", "ask for an earlier one: --steps 1"
    )


def _coloured() -> bool:
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
