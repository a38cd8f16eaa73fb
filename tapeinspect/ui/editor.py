"""Opening a line in the user's editor, and writing what is exported."""

from __future__ import annotations

import os
import shlex
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tapeinspect.ui.screens.main import MainScreen


class EditorError(Exception):
    """The editor cannot be opened, or a file not written; the message says why and what to do."""


def place_here(main: MainScreen) -> tuple[str, int] | None:
    """File and line that the focused pane stands on."""
    if main.tab == 6:
        return main.output_pane.card.place()
    pane = main.trace_pane
    if pane.source.has_focus and pane.source.file is not None:
        return pane.source.file.path, pane.source.cursor + 1
    if main.tab != 1:
        place = getattr(main.pane(main.tab), "place", lambda: None)()
        return place if place is None else (str(place[0]), int(place[1]))
    frame = pane.detail.shown_frame
    return (frame.path, frame.line or 1) if frame is not None else None


def check_editor(path: str) -> str:
    """The editor's command. Raises EditorError."""
    command = os.environ.get("VISUAL") or os.environ.get("EDITOR")
    if not command:
        raise EditorError("No editor is set: export EDITOR=vim (or another) before starting tapeinspect.")
    if not Path(path).is_file():
        raise EditorError(f"{path} is not on this machine; the source pane shows the recorded copy.")
    return command


def run_editor(path: str, line: int) -> None:
    """Open a file at a line and wait until the editor is closed. Raises EditorError."""
    command = shlex.split(check_editor(path))
    name = Path(command[0]).name
    where = [f"{path}:{line}"] if name in ("hx", "helix", "subl", "zed", "micro") else [f"+{line}", path]
    if name in ("code", "codium", "cursor"):
        where = ["--wait", "--goto", f"{path}:{line}"]
    try:
        subprocess.run([*command, *where], check=False)
    except OSError as error:
        raise EditorError(f"{command[0]} cannot be started: {error.strerror}.") from error


def write_export(name: str, text: str) -> Path:
    """Write a text into a new file in the current directory; where it is. Raises EditorError."""
    stem, dot, ending = name.partition(".")
    for number in range(1, 1000):
        path = Path.cwd() / (name if number == 1 else f"{stem}-{number}{dot}{ending}")
        try:
            with path.open("x", encoding="utf-8") as file:
                file.write(text)
        except FileExistsError:
            continue
        except OSError as error:
            raise EditorError(f"{path} cannot be written: {error.strerror}.") from error
        return path
    raise EditorError(f"There are a thousand files named like {name} here: delete some.")
