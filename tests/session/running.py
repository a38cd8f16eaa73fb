"""Starting targets in tests, with all that they say kept."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from tapeinspect.link.messages import Config
from tapeinspect.session.launch import Launch
from tapeinspect.session.target import Event, Output

SECONDS = 60.0


class Heard:
    """A listener that keeps events."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self._news = threading.Condition()

    def __call__(self, event: Event) -> None:
        with self._news:
            self.events.append(event)
            self._news.notify_all()

    @property
    def text(self) -> str:
        """What the script has written on its terminal."""
        return b"".join(e.data for e in self.events if isinstance(e, Output)).decode("utf-8", "replace")

    def until(self, holds: Callable[[Heard], object]) -> None:
        """Wait until something holds."""
        with self._news:
            assert self._news.wait_for(lambda: bool(holds(self)), SECONDS), (self.text, self.events[-5:])


def launch(
    directory: Path,
    code: str,
    *args: str,
    pty: bool = True,
    env: Mapping[str, str] | None = None,
    size: tuple[int, int] = (80, 24),
) -> Launch:
    """A launch of a script with this text."""
    script = directory / "script.py"
    script.write_text(code)
    config = Config(str(directory / "script.tape"), -1, str(script), (str(script), *args))
    return Launch(script, None, args, config, pty, {**os.environ, **(env or {})}, size)


def gone(pid: int, seconds: float = 60.0) -> bool:
    """Whether a process is gone (or dead and not reaped by its own parent) within some seconds."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return True
        if state == "Z":
            return True
        time.sleep(0.02)
    return False
