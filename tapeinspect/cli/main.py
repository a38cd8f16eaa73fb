"""The command `tapeinspect`: which command is meant, and nothing else.

What a command needs is imported when it runs: `tapeinspect --help` answers in a fraction of a second.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module

from tapeinspect.cli.diagnostics import run_guarded

COMMANDS = {
    "record": "tapeinspect.cli.record",
    "open": "tapeinspect.cli.open",
    "export": "tapeinspect.cli.export",
    "report": "tapeinspect.cli.report",
    "info": "tapeinspect.cli.info",
    "autograph": "tapeinspect.cli.autograph",
    "diff": "tapeinspect.cli.diff",
}
"""The module of each command; it has `run(name, argv) -> exit status`. A script of such a name: ./record"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line; the exit status."""
    args = list(sys.argv[1:] if argv is None else argv)
    name = args[0] if args and args[0] in COMMANDS else None
    if name is None:
        return run_guarded(lambda: int(import_module("tapeinspect.cli.run").run("tapeinspect", args)))
    return run_guarded(lambda: int(import_module(COMMANDS[name]).run(name, args[1:])))
