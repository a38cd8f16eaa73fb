"""`tapeinspect export TRACE`: a recording as data on stdout."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from tapeinspect.cli.parsing import Parser


def run(name: str, argv: Sequence[str]) -> int:
    """Write a recording to stdout. Raises TraceError when it cannot be read."""
    parser = Parser(
        f"tapeinspect {name}", f"tapeinspect {name} [OPTIONS] TRACE", "Write a recording as data."
    )
    parser.add_argument("trace", metavar="TRACE", help="a file that tapeinspect recorded")
    parser.add_argument(
        "--format", choices=("jsonl",), default="jsonl", help="jsonl: one JSON object a line (default)"
    )
    options = parser.parse_args(argv)
    from tapeinspect.report.jsonl import write

    write(Path(options.trace), sys.stdout.buffer)
    return 0
