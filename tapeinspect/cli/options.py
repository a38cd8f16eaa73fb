"""The options of `tapeinspect SCRIPT` and `tapeinspect record SCRIPT`.

Imports next to nothing, since `--help` goes through here.
"""

from __future__ import annotations

from collections.abc import Sequence, Set
from typing import NamedTuple

from tapeinspect.cli.parsing import Parser, count, size
from tapeinspect.errors import UsageError

_TAKE_A_VALUE: Set[str] = {
    "-o", "--output", "--steps", "--mode", "--values", "--memory", "--max-size", "--fail-on", "--rule", "--no-rule",
    "--format", "--tolerance", "--only", "--color",
}  # fmt: skip


class CommandLine(NamedTuple):
    """A command line, taken apart: everything from SCRIPT or `-m MODULE` on is the script's."""

    options: tuple[str, ...]
    script: str | None
    module: str | None
    args: tuple[str, ...]


def take_apart(argv: Sequence[str], take_a_value: Set[str] = _TAKE_A_VALUE) -> CommandLine:
    """Find where our options end. argparse would look for them behind SCRIPT, too. Raises UsageError."""
    index = 0
    while index < len(argv):
        arg = argv[index]
        if arg == "-m":
            if index + 1 == len(argv):
                raise UsageError("argument -m: expected a module", "see: tapeinspect --help")
            return CommandLine(tuple(argv[:index]), None, argv[index + 1], tuple(argv[index + 2 :]))
        if arg == "--" and index + 1 < len(argv):
            return CommandLine(tuple(argv[:index]), argv[index + 1], None, tuple(argv[index + 2 :]))
        if not arg.startswith("-") or arg == "-":
            return CommandLine(tuple(argv[:index]), arg, None, tuple(argv[index + 1 :]))
        index += 2 if arg in take_a_value else 1
    return CommandLine(tuple(argv), None, None, ())


def add_recording_options(parser: Parser) -> None:
    """Add the options that say how to record."""
    group = parser.add_argument_group("recording")
    group.add_argument(
        "-o", "--output", metavar="FILE", help="the recording (default: SCRIPT's name with .tape)"
    )
    group.add_argument("--steps", type=count, metavar="N", help="end the script after N batches")
    group.add_argument(
        "--mode",
        choices=("eager", "graph"),
        default="eager",
        help="eager: run each tf.function op by op (default); graph: leave the program as written",
    )
    group.add_argument(
        "--values",
        choices=("off", "health", "full"),
        default="health",
        help="what to measure of each float tensor: nothing, NaN, Inf and norm (default), or all figures",
    )
    group.add_argument(
        "--memory", type=size, metavar="SIZE", default=256 << 20, help="memory for the latest tensors (256M)"
    )
    group.add_argument(
        "--max-size", type=size, metavar="SIZE", default=2 << 30, help="largest size of the recording (2G)"
    )
    group.add_argument("--no-source", action="store_true", help="keep no source code in the recording")
    group.add_argument("--no-values", action="store_true", help="the same as --values off")


def add_findings_options(parser: Parser) -> None:
    """Add the options that say what counts as a finding."""
    group = parser.add_argument_group("findings")
    group.add_argument(
        "--fail-on",
        choices=("error", "warning"),
        help="exit with status 1 when there is a finding as bad as this",
    )
    group.add_argument(
        "--rule",
        action="append",
        default=[],
        metavar="NAME[=VALUE]",
        help="adjust the figure of a rule, or ask one that is off by itself (tapeinspect report --rules lists them)",
    )
    group.add_argument("--no-rule", action="append", default=[], metavar="NAME", help="leave a rule out")
