"""`tapeinspect report TRACE`: what is wrong with the training, in words on stdout."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tapeinspect.cli.options import add_findings_options
from tapeinspect.cli.parsing import Parser
from tapeinspect.errors import ExitCode, TraceError, UsageError

if TYPE_CHECKING:
    from tapeinspect.analysis.findings import Settings


def run(name: str, argv: Sequence[str]) -> int:
    """Report on a recording; 1 for what `--fail-on` names. Raises TraceError when it cannot be read."""
    parser = Parser(
        f"tapeinspect {name}",
        f"tapeinspect {name} [OPTIONS] TRACE",
        "Say what was trained, how its gradients fare, and what is wrong with it.",
    )
    parser.add_argument("trace", metavar="TRACE", nargs="?", help="a file that tapeinspect recorded")
    parser.add_argument(
        "--rules", action="store_true", help="list the rules, their figures and where those are from"
    )
    add_findings_options(parser)
    options = parser.parse_args(argv)
    from tapeinspect.analysis.findings import settings
    from tapeinspect.report.text import rules, write

    how = settings(options.rule, options.no_rule)
    if options.rules:
        sys.stdout.write(rules(how))
        return ExitCode.OK
    if options.trace is None:
        raise UsageError("no recording was named", f"see: {parser.prog} --help")
    found = write(Path(options.trace), sys.stdout, how)
    return _status(found, options.fail_on)


def conclude(trace: Path, how: Settings, to_stderr: bool, fail_on: str | None) -> int:
    """The end of a recording: report on it when asked to; 1 for what `fail_on` names."""
    from tapeinspect.cli.diagnostics import say
    from tapeinspect.report.text import write

    try:
        found = write(trace, sys.__stderr__ if to_stderr else None, how)
    except TraceError as error:
        say(error.message, error.hint)
        return ExitCode.FINDINGS if fail_on else ExitCode.OK
    status = _status(found, fail_on)
    if status and not to_stderr:
        worst = ", ".join(dict.fromkeys(item for item in found if _counts(item, fail_on)))
        say(f"there are findings: {worst}", f"to read them: tapeinspect report {trace}")
    return status


def _status(severities: Sequence[str], fail_on: str | None) -> int:
    return ExitCode.FINDINGS if any(_counts(severity, fail_on) for severity in severities) else ExitCode.OK


def _counts(severity: str, fail_on: str | None) -> bool:
    return fail_on is not None and (severity == "error" or severity == fail_on)
