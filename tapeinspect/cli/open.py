"""`tapeinspect open TRACE`: the screen on a recording."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tapeinspect.cli.parsing import Parser
from tapeinspect.cli.run import has_terminal
from tapeinspect.errors import UsageError


def run(name: str, argv: Sequence[str]) -> int:
    """Look at a recording. Raises TraceError when it cannot be read, UsageError without a terminal."""
    parser = Parser(f"tapeinspect {name}", f"tapeinspect {name} TRACE [OTHER]", "Look at a recording.")
    parser.add_argument("trace", metavar="TRACE", help="a file that tapeinspect recorded")
    parser.add_argument(
        "other",
        metavar="OTHER",
        nargs="?",
        help="a second recording, held against the first in the tab Diff (5) and in the screen over time (t)",
    )
    options = parser.parse_args(argv)
    path = Path(options.trace)
    other = Path(options.other) if options.other is not None else None
    from tapeinspect.trace.reader import open_trace

    for recording in filter(None, (path, other)):
        open_trace(recording).close()  # what is no recording is told here, before a screen covers it
    if not has_terminal():
        raise UsageError(
            "there is no terminal to draw on", f"for the recording as data: tapeinspect export {path}"
        )
    from tapeinspect.cli.signals import ending_on_signals

    with ending_on_signals():
        from tapeinspect.ui.run import run_recording

        return run_recording(path, other)
