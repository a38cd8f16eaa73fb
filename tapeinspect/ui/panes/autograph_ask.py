"""Asking the running script what AutoGraph makes of its step, and what to say meanwhile. No Textual in here."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from tapeinspect.errors import TapeinspectError

if TYPE_CHECKING:
    from tapeinspect.ui.subject import Subject

WORKS = ("autograph", "tracing")
"""What AutoGraph makes of the step, then what of it does not survive tracing."""


class Asking:
    """One question at a time."""

    def __init__(self, subject: Subject) -> None:
        self.subject = subject
        self.step: int | None = None
        """The batch asked for."""
        self.open = False
        """The script has not answered yet."""
        self.trouble = ""
        """Why the last question got no answer, with what to do on further lines."""
        self._since = 0.0

    @property
    def possible(self) -> bool:
        """The script can be asked."""
        return self.subject.live and not self.open and self.subject.ended_steps > 0

    async def ask(self, step: int | None) -> bool:
        """Ask for a batch, by default the newest that has ended, and wait; False when nothing came of it."""
        newest = self.subject.ended_steps
        self.step, self.open, self.trouble, self._since = (
            min(step or newest, newest),
            True,
            "",
            time.monotonic(),
        )
        try:
            troubles = [await self._ask(work) for work in WORKS]
        finally:
            self.open = False
        self.trouble = troubles[0]
        return not self.trouble

    async def _ask(self, work: str) -> str:
        """Ask for one work; why nothing came of it, "" when something did."""
        future = self.subject.ask_work(work, self.step)
        if future is None:
            return "The script has ended"
        try:
            answer = await asyncio.wrap_future(future)
        except TapeinspectError as error:
            return f"{error.message}\n{error.hint}" if error.hint else error.message
        if answer.ok:
            return ""
        message = str(answer.body.get("message") or "The step could not be traced.")
        hint = str(answer.body.get("hint") or "")
        return f"{message}\n{hint}" if hint else message

    def progress(self) -> str:
        """What is going on, for a title; "" when nothing is."""
        if not self.open:
            return ""
        if self.subject.paused:
            return f"tracing batch {self.step} again … {time.monotonic() - self._since:.0f} s"
        return f"batch {self.step} is traced when the running one ends"

    def words(self) -> str:
        """What the tab says while it has nothing to show: a line, and more below it."""
        subject = self.subject
        if self.open and subject.paused:
            return (
                f"Tracing the step with the arguments of batch {self.step} … {time.monotonic() - self._since:.0f} s\n"
                "It runs in a sandbox: variables, random numbers and your Python objects are put back"
            )
        if self.open:
            return (
                "The step is traced when the batch that runs has ended\n"
                f"It is asked for with the arguments of batch {self.step}; p pauses the script"
            )
        if self.trouble:
            again = "\nr asks again" if subject.live else ""
            return self.trouble + again
        if subject.recording:
            return self._of_recording()
        if not subject.counts.ops:
            return subject.waiting_for()
        if subject.exited:
            return (
                "The script has ended, so its step cannot be traced any more\n"
                "R starts it again; this tab then asks while it runs"
            )
        if not subject.ended_steps:
            return "The step is traced when the first batch has ended\n" + (
                "n runs to the end of the batch"
                if subject.paused
                else "A batch is where a gradient tape is opened"
            )
        return "The step has not been traced yet\nr traces it"

    def _of_recording(self) -> str:
        subject = self.subject
        if not subject.counts.ops:
            return subject.waiting_for()
        script = subject.reader.meta.script.rsplit("/", 1)[-1] if subject.reader is not None else "SCRIPT"
        return (
            "This recording does not hold what AutoGraph makes of the step\n"
            f"Record it with: tapeinspect record --autograph {script}\n"
            f"or open the script itself, tapeinspect {script}, and press 4"
        )
