"""What a headless recording says on stderr while it goes on, and at its end."""

from __future__ import annotations

import os
import shlex
import sys
import time
from pathlib import Path

from tapeinspect.cli.diagnostics import say
from tapeinspect.errors import TraceError
from tapeinspect.link.messages import Tick, Trouble
from tapeinspect.session.state import SessionState, exit_in_words
from tapeinspect.session.target import Event, Target

EVERY_ON_TERMINAL = 2.0
EVERY_IN_LOG = 10.0
"""Seconds between two lines."""


class Progress:
    """Says how far a recording is. Quiet: only what is amiss."""

    def __init__(self, quiet: bool) -> None:
        self._quiet = quiet
        self._every = EVERY_ON_TERMINAL if _stderr_is_terminal() else EVERY_IN_LOG
        self._next = time.monotonic() + self._every
        self.state = SessionState()

    def hear(self, event: Event) -> None:
        """Take in an event; say something when it is time to."""
        self.state = self.state.after(event)
        if isinstance(event, Trouble):
            say(event.message, event.hint)
        elif isinstance(event, Tick) and not self._quiet and time.monotonic() >= self._next:
            self._next = time.monotonic() + self._every
            say(in_words(self.state))

    def conclude(self, target: Target) -> None:
        """Say what was recorded and how to look at it."""
        if self._quiet:
            return
        state = self.state
        trace = target.trace
        if state.exit_status:
            hint = ""
            if target.launch.config.mode == "eager" and state.exit_status < 128 and _has_functions(trace):
                hint = "Its tf.functions ran op by op; if it fails for that, run it as written: --mode graph"
            say(f"{target.launch.name} ended: {exit_in_words(state.exit_status)}", hint)
        recorded = _recorded(trace, target.pid, state)
        if recorded is None:
            say("nothing was recorded")
            return
        say(f"recorded {in_words(recorded)}")
        say(f"{size_in_words(recorded.size)}; to look at it: tapeinspect open {shlex.quote(_short(trace))}")


def in_words(state: SessionState) -> str:
    """Batches, ops, loss, rate and what recording costs."""
    parts = [_many(state.steps, "batch", "batches"), _many(state.ops, "op", "ops")]
    if state.loss is not None:
        parts.append(f"loss {state.loss:.4g}")
    if state.rate is not None:
        parts.append(f"{state.rate:.3g} batches/s")
    if state.overhead is not None:
        parts.append(f"recording takes {state.overhead:.2f}x the time")
    return " | ".join(parts)


def size_in_words(size: float) -> str:
    """Bytes as a person writes them: 512 B, 1.4 MB."""
    for unit in ("B", "KB", "MB", "GB"):
        if size < 1000 or unit == "GB":
            break
        size /= 1000
    return f"{size:.0f} {unit}" if unit == "B" or size >= 100 else f"{size:.1f} {unit}"


def _many(number: int, one: str, more: str) -> str:
    return f"{number:,} {one if number == 1 else more}"


def _recorded(trace: Path, pid: int, state: SessionState) -> SessionState | None:
    """What the recording of this run holds, which is less than was reported when the script was killed."""
    from dataclasses import replace

    from tapeinspect.trace.reader import open_trace

    try:
        reader = open_trace(trace)
    except TraceError:
        return None
    try:
        if reader.meta.raw.get("pid") != pid:
            return None
        ended = [step for step in reader.steps() if step.last_op is not None]
        losses = [step.loss for step in ended if step.loss is not None]
        return replace(
            state,
            ops=reader.counts.ops,
            steps=len(ended),
            loss=losses[-1] if losses else None,
            size=trace.stat().st_size,
        )
    except (TraceError, OSError):
        return None
    finally:
        reader.close()


def _has_functions(trace: Path) -> bool:
    """Whether the script has functions that run as graphs when nobody looks."""
    from tapeinspect.trace.reader import open_trace

    try:
        reader = open_trace(trace)
    except TraceError:
        return False
    try:
        return any("tf.function" in (file.source or "") for file in reader.files() if file.role == "user")
    except (TraceError, OSError):
        return False
    finally:
        reader.close()


def _short(path: Path) -> str:
    """A path as a person in the current directory writes it."""
    try:
        return str(path.relative_to(os.getcwd()))
    except (ValueError, OSError):
        return str(path)


def _stderr_is_terminal() -> bool:
    return sys.__stderr__ is not None and sys.__stderr__.isatty()
