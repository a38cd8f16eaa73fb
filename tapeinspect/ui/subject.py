"""What the screen is about: a recording, or a running script together with the recording it is making.

No Textual in here. Everything is pulled by `poll`, about fifteen times a second.
"""

from __future__ import annotations

import itertools
import time
from collections import deque
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

from tapeinspect.errors import TapeinspectError, TraceError
from tapeinspect.link.messages import (
    Answer,
    AskStats,
    AskValue,
    AskWork,
    Doing,
    Go,
    Message,
    Pause,
    Request,
    Status,
    Tick,
    Trouble,
)
from tapeinspect.trace.records import Counts, ScriptFailure, Step
from tapeinspect.ui.terminal import Terminal

if TYPE_CHECKING:
    from tapeinspect.session.target import Exited, Output
    from tapeinspect.trace.reader import TraceReader

SLICE: Final = 96 * 1024
"""Bytes of the script's output that one tick shows: what is left waits for the next tick."""
BACKLOG: Final = 8 << 20
"""Bytes of output that may wait; beyond it the oldest are skipped, as the scrollback would lose them anyway."""


class LiveTarget(Protocol):
    """What the screen needs of `tapeinspect.session.target.Target`."""

    @property
    def pid(self) -> int: ...
    @property
    def trace(self) -> Path: ...
    @property
    def exit_status(self) -> int | None: ...
    def send(self, message: Message) -> None: ...
    def ask(self, request: Request) -> Future[Answer]: ...
    def write_input(self, data: bytes) -> None: ...
    def resize(self, columns: int, rows: int) -> None: ...
    def interrupt(self) -> None: ...
    def end(self, grace: float = 2.0) -> None: ...
    def drain(self, timeout: float | None = None) -> bool: ...


def terminal_size(columns: int, rows: int) -> tuple[int, int]:
    """Size of the script's terminal on a screen of some size: what header, title, input line and so on leave."""
    return max(20, columns - 2), max(4, rows - 7)


class Inbox:
    """What the target has said and the screen has not looked at yet; filled by background threads."""

    def __init__(self) -> None:
        self.events: deque[Message | Output | Exited] = deque()

    def put(self, event: Message | Output | Exited) -> None:
        """The listener to hand to the target."""
        self.events.append(event)


@dataclass(frozen=True, slots=True)
class Changes:
    """What a poll brought."""

    state: bool = False
    trace: bool = False
    output: bool = False
    paused: bool = False
    """The script has just paused or ended."""


class Subject:
    """A recording, or a running script; `target` is None for a recording."""

    def __init__(
        self, path: Path, target: LiveTarget | None = None, inbox: Inbox | None = None, script: str = ""
    ):
        self.path = path
        self.target = target
        self.inbox = inbox or Inbox()
        self.script = script or path.name
        self.reader: TraceReader | None = None
        self.other: TraceReader | None = None
        """Another recording, to compare figures with."""
        self.counts = Counts()
        self.terminal = Terminal()
        self.status = Status("starting" if target else "finished", "")
        self.tick: Tick | None = None
        self.troubles: list[Trouble] = []
        self.doing: dict[str, str] = {}
        """How far each work is, by its name."""
        self.exit_status: int | None = None
        self.exited = target is None
        self.started = time.monotonic()
        self.skipped = 0
        """Bytes of output skipped because they came faster than they could be shown."""
        self._pending = bytearray()
        self._errors: list[ScriptFailure] = []
        self._requests = itertools.count(1)
        self._next_look = 0.0
        self._until = "batch"
        """How far the script was to run when it was last let go."""
        self._begun = target is None
        """The script's own recording is there: before that, one of an earlier run may stand at the path."""

    # what there is

    @property
    def live(self) -> bool:
        """A script is running."""
        return self.target is not None and not self.exited

    @property
    def recording(self) -> bool:
        """It was opened as a recording: there never was a script."""
        return self.target is None

    @property
    def paused(self) -> bool:
        """The script waits for us."""
        return self.live and self.status.state == "paused"

    @property
    def steps(self) -> list[Step]:
        """The batches so far."""
        return list(self.reader.steps()) if self.reader else []

    @property
    def failures(self) -> list[ScriptFailure]:
        """The exceptions that ended the script."""
        return self._errors

    def waiting_for(self) -> str:
        """What an empty pane says while there is nothing to show: two lines of text."""
        seconds = f"({time.monotonic() - self.started:.1f} s)"
        if self.failures:
            return "The script failed before its first op\n6 shows the exception"
        if self.recording:
            return "No op was recorded\nThe script ran none, or was ended before its first"
        if self.exited and (self.reader is None or self.reader.meta.tensorflow is None):
            return "The script has ended and never imported TensorFlow\n6 shows what it printed"
        if self.exited:
            return "The script has ended without running an op\n6 shows what it printed"
        state = self.status.state
        if state == "starting":
            return f"Waiting for Python to start {seconds}\nThe script has not run yet"
        if state == "importing":
            return (
                f"Waiting for TensorFlow to be imported {seconds}\n6 shows what the script prints meanwhile"
            )
        if state == "paused":
            return "Paused before the first op\nn runs the first batch"
        return f"Waiting for the first op {seconds}\n6 shows what the script prints meanwhile"

    # what happens

    def open(self) -> None:
        """Open the recording. Raises TraceError."""
        from tapeinspect.trace.reader import open_trace

        self.reader = open_trace(self.path)
        self.counts = self.reader.refresh()
        self._errors = list(self.reader.errors())

    def open_other(self, path: Path) -> None:
        """Open another recording to compare with. Raises TraceError."""
        from tapeinspect.trace.reader import open_trace

        self.other = open_trace(path)

    def poll(self) -> Changes:
        """Take in what has happened since the last poll."""
        before = self.status
        state = self._drain()
        output = self._show_output()
        trace = self._look()
        paused = self.status is not before and self.status.state in ("paused", "finished")
        return Changes(state, trace, output, paused)

    def _drain(self) -> bool:
        changed = False
        for _ in range(len(self.inbox.events)):
            event = self.inbox.events.popleft()
            self._begun = self._begun or self._tells_of_recording(event)
            if isinstance(event, Tick):
                self.tick = event
            elif isinstance(event, Status):
                self.status = event
            elif isinstance(event, Doing):
                self.doing[event.work] = event.text
            elif isinstance(event, Trouble):
                self.troubles.append(event)
            elif hasattr(event, "data"):
                self._pending += event.data
                continue
            elif hasattr(event, "status"):
                self.exited, self.exit_status = True, event.status
                self.status = Status("finished", _ending(event.status))
                self._next_look = 0.0
            changed = True
        return changed

    def _tells_of_recording(self, event: object) -> bool:
        """The target has made its recording before it says this."""
        if isinstance(event, Status):
            after_import = self.status.state == "importing" and event.state != "importing"
            return after_import or event.state in ("paused", "finished")
        return isinstance(event, Tick) or hasattr(event, "status")

    def _show_output(self) -> bool:
        if not self._pending:
            return False
        if len(self._pending) > BACKLOG:
            cut = self._pending.find(b"\n", len(self._pending) - BACKLOG) + 1 or len(self._pending) - BACKLOG
            del self._pending[:cut]
            self.skipped += cut
        self.terminal.feed(bytes(self._pending[:SLICE]))
        del self._pending[:SLICE]
        return True

    def _look(self) -> bool:
        """Look for what the recording has got since."""
        now = time.monotonic()
        if now < self._next_look:
            return False
        if self.reader is None:
            self._next_look = now + 0.1
            if not self._begun or not self.path.exists():
                return False
            try:
                self.open()
            except TraceError:
                return False
            return True
        before = self.counts
        try:
            self.counts = self.reader.refresh()
        except TraceError as error:
            self._next_look = now + 5.0
            self.damaged(error)
            return False
        if not self.live:
            self._next_look = now + (3600.0 if self.counts.complete else 0.5)
        if self.counts.errors != before.errors:
            self._errors = list(self.reader.errors())
        return self.counts != before

    def damaged(self, error: TraceError) -> None:
        """Take note that the recording cannot be read in some place."""
        trouble = Trouble(error.message, error.hint)
        if trouble not in self.troubles:
            self.troubles.append(trouble)

    # what the user wants

    def go(self, until: str) -> None:
        """Let the paused script run on."""
        if self.target is not None and self.live:
            self._until = until
            self.target.send(Go(until))  # type: ignore[arg-type]
            self.status = Status("running", "")

    def pause(self) -> None:
        """Ask the script to pause at its next op."""
        if self.target is not None and self.live:
            self._until = "op"
            self.target.send(Pause())
            if self.status.state == "running":
                self.status = Status("running", "pausing at the next op …")

    def ask_value(self, tensor: int, index: tuple[object, ...]) -> Future[Answer] | None:
        """Ask the running script for a window of a tensor; None when there is none to ask."""
        if self.target is None or not self.live:
            return None
        return self.target.ask(AskValue(next(self._requests), tensor, index))

    def ask_stats(self, tensor: int) -> Future[Answer] | None:
        """Ask the running script for the figures of a tensor; None when there is none to ask."""
        if self.target is None or not self.live:
            return None
        return self.target.ask(AskStats(next(self._requests), tensor))

    def ask_work(
        self, work: str, step: int | None, options: Mapping[str, Any] | None = None
    ) -> Future[Answer] | None:
        """Ask the running script for work on a batch; None when there is none to ask."""
        if self.target is None or not self.live:
            return None
        return self.target.ask(AskWork(next(self._requests), work, step, dict(options or {})))

    @property
    def ended_steps(self) -> int:
        """Batches that have ended."""
        steps = self.reader.steps() if self.reader else ()
        return len(steps) - (1 if steps and steps[-1].last_op is None else 0)

    @property
    def newest(self) -> int | None:
        """The batch to look at while following the script.

        It stops at the first op after a batch. Where that is in the next batch already, it is the one that has ended.
        """
        newest, ended = self.counts.steps or None, self.status.step
        if self.paused and self._until == "batch" and ended and ended == self.ended_steps:
            return ended
        return newest

    def resize(self, columns: int, rows: int) -> None:
        """Give the script's terminal another size."""
        self.terminal.resize(columns, rows)
        if self.target is not None and self.live:
            self.target.resize(columns, rows)

    def write_input(self, text: str) -> None:
        """Type into the script's standard input."""
        if self.target is not None and self.live:
            self.target.write_input(text.encode())

    def end(self) -> None:
        """End the script if it still runs, and close the recording."""
        if self.target is not None and not self.exited:
            self.target.end()
        for reader in (self.reader, self.other):
            if reader is not None:
                reader.close()


def _ending(status: int) -> str:
    from tapeinspect.session.state import exit_in_words

    return "the script has ended" if status == 0 else exit_in_words(status)


__all__ = ["Changes", "Inbox", "LiveTarget", "Subject", "TapeinspectError"]
