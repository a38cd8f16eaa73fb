"""The first frame, written before Textual has been imported: importing it takes longer than a user notices a wait.

It has the places and the words of the real first frame, which then replaces it.
"""

from __future__ import annotations

import os
import sys
from typing import TextIO

_TABS = ("Trace", "Tape", "Gradients", "AutoGraph", "Diff", "Output")


def paint(name: str, state: str, why: str, stream: TextIO | None = None) -> bool:
    """Draw header, tabs and what is waited for on the alternate screen; False when there is no terminal."""
    stream = stream or sys.__stderr__
    if stream is None or not stream.isatty():
        return False
    try:
        columns, rows = os.get_terminal_size(stream.fileno())
    except OSError:
        return False
    stream.write(frame(name, state, why, columns, rows))
    stream.flush()
    return True


def frame(name: str, state: str, why: str, columns: int, rows: int) -> str:
    """The frame as text with escape sequences."""
    name = "".join(char if char.isprintable() else "?" for char in name.rsplit("/", 1)[-1])
    head = f" {name}  {state}  {why}"[:columns].ljust(columns)
    tabs = " " + "   ".join(f"{i} {tab}" for i, tab in enumerate(_TABS, 1))
    message = "Opening the screen …"
    place = f"\x1b[{max(5, rows // 2)};{max(1, (columns - len(message)) // 2)}H"
    return (
        "\x1b[?1049h\x1b[?25l\x1b[2J\x1b[H"
        f"\x1b[7m{head}\x1b[0m\x1b[4;1H\x1b[2m{tabs[:columns]}\x1b[0m{place}\x1b[2m{message}\x1b[0m"
    )


def leave(stream: TextIO | None = None) -> None:
    """Back to the normal screen, when the real one never came."""
    stream = stream or sys.__stderr__
    if stream is not None and stream.isatty():
        stream.write("\x1b[?25h\x1b[?1049l")
        stream.flush()
