"""`tapeinspect info`: versions, capabilities and paths, for a bug report."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence

from tapeinspect.cli.parsing import Parser


def run(name: str, argv: Sequence[str]) -> int:
    """Write what a bug report needs to stdout."""
    parser = Parser(
        f"tapeinspect {name}", f"tapeinspect {name} [OPTIONS]", "Say what a bug report needs to tell."
    )
    parser.add_argument(
        "--probe",
        action="store_true",
        help="import TensorFlow and say what can be recorded with it (takes seconds)",
    )
    parser.add_argument("--format", choices=("text", "json"), default="text")
    options = parser.parse_args(argv)
    from tapeinspect.report.info import collect, probe, text

    facts = collect()
    capabilities = probe() if options.probe else None
    if options.format == "json":
        body = {**facts, "capabilities": capabilities} if options.probe else facts
        sys.stdout.write(json.dumps(body, indent=2) + "\n")
    else:
        sys.stdout.write(text(facts, capabilities))
    return 0
