"""`tapeinspect record SCRIPT`: run and record without a screen."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tapeinspect.cli.options import add_findings_options, add_recording_options, take_apart
from tapeinspect.cli.parsing import Parser

if TYPE_CHECKING:
    from tapeinspect.session.launch import Launch

USAGE = (
    "tapeinspect record [OPTIONS] SCRIPT [ARGS...]\n       tapeinspect record [OPTIONS] -m MODULE [ARGS...]"
)


def run(name: str, argv: Sequence[str]) -> int:
    """Run a script and record it; the script's exit status, 1 for what `--fail-on` names if that is 0."""
    parser = Parser(f"tapeinspect {name}", USAGE, "Run a training script and record it, without a screen.")
    parser.add_argument("-q", "--quiet", action="store_true", help="no progress and no summary on stderr")
    parser.add_argument(
        "--report", action="store_true", help="say on stderr at the end what was found, as report does"
    )
    parser.add_argument(
        "--autograph",
        action="store_true",
        help="trace the step once, behind the first batch, and record what AutoGraph makes of it",
    )
    add_recording_options(parser)
    add_findings_options(parser)
    line = take_apart(argv)
    options = parser.parse_args(line.options)
    from tapeinspect.cli.prepare import prepare

    if not (options.report or options.fail_on or options.rule or options.no_rule):
        return record(prepare(line, options, screen=False), options.quiet)
    from tapeinspect.analysis.findings import settings

    how = settings(options.rule, options.no_rule)
    launch = prepare(line, options, screen=False)
    status = record(launch, options.quiet)
    from tapeinspect.cli.report import conclude

    found = conclude(Path(launch.config.output), how, options.report, options.fail_on)
    return status or found


def record(launch: Launch, quiet: bool) -> int:
    """Run what is to be launched with our own stdin, stdout and stderr; its exit status."""
    from tapeinspect.cli.progress import Progress
    from tapeinspect.cli.signals import passing_on
    from tapeinspect.session.target import Target

    progress = Progress(quiet)
    with passing_on() as deliver:
        target = Target.start(launch, progress.hear)
        deliver(target)
        target.drain()
    progress.conclude(target)
    assert target.exit_status is not None
    return target.exit_status
