"""`tapeinspect autograph SCRIPT[:FUNCTION]`: the user's source and the one AutoGraph makes of it, side by side."""

from __future__ import annotations

import os
import sys
from argparse import Namespace
from collections.abc import Sequence
from typing import TYPE_CHECKING

from tapeinspect.cli.options import take_apart
from tapeinspect.cli.parsing import Parser, count
from tapeinspect.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from tapeinspect.report.autograph import Report

USAGE = "tapeinspect autograph [OPTIONS] SCRIPT[:FUNCTION] [ARGS...]"
_EPILOG = """\
FUNCTION is a name in the script: train_step, Trainer.step. A script that only defines things when it is imported,
because it trains under `if __name__ == "__main__"`, is imported for it; any other runs until its first batch has
ended. Without FUNCTION the step is shown with all that it calls.
Exit status: 0, or 1 when the step cannot be traced or the function is not converted.
"""


def run(name: str, argv: Sequence[str]) -> int:
    """Print what AutoGraph makes of a script. Raises UsageError, ScriptError."""
    parser = Parser(f"tapeinspect {name}", USAGE, "Show what AutoGraph makes of a training step.", _EPILOG)
    parser.add_argument("--format", choices=("text", "html", "json"), default="text")
    parser.add_argument(
        "--raw",
        action="store_true",
        help="only the generated source, exactly as tf.autograph.to_code gives it",
    )
    parser.add_argument(
        "--all",
        action="store_true",
        help="leave nothing out of the generated source that only AutoGraph needs",
    )
    parser.add_argument(
        "--step", type=count, default=1, metavar="N", help="trace the step behind batch N (1)"
    )
    parser.add_argument("--run", action="store_true", help="run the script though it could be imported")
    parser.add_argument(
        "--mode",
        choices=("eager", "graph"),
        default="eager",
        help="graph: run the script's tf.functions as graphs, and also list what was traced up to batch N, and why",
    )
    parser.add_argument("-o", "--output", metavar="FILE", help="keep the recording that is made on the way")
    line = take_apart(argv, {"--format", "--step", "--mode", "-o", "--output"})
    options = parser.parse_args(line.options)
    from tapeinspect.cli.work import look

    script, _, function = (
        (line.script or "").partition(":") if _is_named(line.script) else (line.script, "", "")
    )
    line = line._replace(script=script or None)
    with look(line, options, "autograph", function or None) as trace:
        from tapeinspect.report.autograph import load

        report = load(trace, function or None)
        sys.stdout.write(_raw(report) if options.raw else _formatted(report, options))
    failed = report.failure is not None and not options.raw
    return ExitCode.FINDINGS if failed or not report.shown else ExitCode.OK


def _is_named(script: str | None) -> bool:
    """Whether a function stands behind the script's name; a file may have a colon in its own."""
    return script is not None and ":" in script and not os.path.exists(script)


def _raw(report: Report) -> str:
    if not report.shown:
        listed = report.listed[0] if report.listed else None
        raise UsageError(
            f"{listed.name} is not converted: {listed.reason}" if listed else "nothing was converted"
        )
    return report.shown[0].function.generated or ""


def _formatted(report: Report, options: Namespace) -> str:
    if options.format == "json":
        from tapeinspect.report.autograph_json import write as write_json

        return write_json(report)
    if options.format == "html":
        from tapeinspect.report.autograph_html import write as write_html

        return write_html(report)
    import shutil

    from tapeinspect.report.autograph_text import write
    from tapeinspect.report.colours import Painter

    terminal = sys.stdout.isatty()
    width = shutil.get_terminal_size((160, 24)).columns
    return write(report, width, not options.all, Painter(terminal and "NO_COLOR" not in os.environ))
