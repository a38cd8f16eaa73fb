"""Asking the running script for work on its step, and what to say meanwhile. No Textual in here."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from tapeinspect.errors import TapeinspectError

if TYPE_CHECKING:
    from tapeinspect.ui.subject import Subject


@dataclass(frozen=True, slots=True)
class Question:
    """What a tab asks for, and the words for it."""

    works: tuple[str, ...]
    """The works asked for, one after the other; the first one is what the tab shows."""
    done: str
    """What happens to the step: "traced"."""
    doing: str
    """The same as what the script is busy with: "Tracing the step"."""
    missing: str
    """What a recording lacks: "what AutoGraph makes of the step"."""
    command: str
    """What records it, before the script's name."""
    tab: int


AUTOGRAPH = Question(
    ("autograph", "tracing"), "traced", "Tracing the step", "what AutoGraph makes of the step",
    "Record it with: tapeinspect record --autograph", 4,
)  # fmt: skip
DIFF = Question(
    ("diff",), "compared", "Running the step eagerly and traced", "a comparison with the traced step",
    "Compare them with: tapeinspect diff", 5,
)  # fmt: skip


ON_TOP: Final = {"xla": "XLA", "grappler": "Grappler"}
"""Options of a work, as they are called on the screen."""


class Asking:
    """One question at a time."""

    def __init__(self, subject: Subject, question: Question) -> None:
        self.subject = subject
        self.question = question
        self.step: int | None = None
        """The batch asked for."""
        self.open = False
        """The script has not answered yet."""
        self.trouble = ""
        """Why the last question got no answer, with what to do on further lines."""
        self.options: Mapping[str, Any] = {}
        """What was asked for on top."""
        self.begun: Callable[[], None] | None = None
        """Called when a question has been asked, so that the screen says so at once."""
        self._since = 0.0

    @property
    def possible(self) -> bool:
        """The script can be asked."""
        return self.subject.live and not self.open and self.subject.ended_steps > 0

    async def ask(
        self, step: int | None, works: Sequence[str] | None = None, options: Mapping[str, Any] | None = None
    ) -> bool:
        """Ask for a batch, by default the newest that has ended, and wait; False when nothing came of it.

        works: in place of all that belong to the question. options: of each of them.
        """
        newest, self.options = self.subject.ended_steps, options or {}
        self.step, self.open, self.trouble, self._since = (
            min(step or newest, newest),
            True,
            "",
            time.monotonic(),
        )
        if self.begun is not None:
            self.begun()
        try:
            troubles = [await self._ask(work) for work in works or self.question.works]
        finally:
            self.open = False
        self.trouble = troubles[0]
        return not self.trouble

    async def _ask(self, work: str, again: bool = True) -> str:
        """Ask for one work; why nothing came of it, "" when something did.

        again: ask for the nearest batch whose arguments are still kept when those of the wanted one are not.
        """
        self.subject.doing.pop(work, None)
        future = self.subject.ask_work(work, self.step, self.options)
        if future is None:
            return "The script has ended"
        try:
            answer = await asyncio.wrap_future(future)
        except TapeinspectError as error:
            return f"{error.message}\n{error.hint}" if error.hint else error.message
        if answer.ok:
            return ""
        kept = [batch for batch in answer.body.get("batches") or () if isinstance(batch, int)]
        if kept and again and self.step is not None and self.step not in kept:
            wanted = self.step
            self.step = min(kept, key=lambda batch: abs(batch - wanted))
            return await self._ask(work, again=False)
        message = str(answer.body.get("message") or f"The step could not be {self.question.done}.")
        hint = str(answer.body.get("hint") or "")
        return f"{message}\n{hint}" if hint else message

    def progress(self) -> str:
        """What is going on, for a title; "" when nothing is."""
        if not self.open:
            return ""
        done = self.question.done + self._on_top()
        if self.subject.paused:
            return (
                f"batch {self.step} is being {done}{self._doing()} … {time.monotonic() - self._since:.0f} s"
            )
        return f"batch {self.step} is {done} when the running one ends"

    def _on_top(self) -> str:
        """`, with XLA and Grappler`; "" where nothing was asked for on top."""
        names = [ON_TOP[name] for name, asked in self.options.items() if asked and name in ON_TOP]
        return f", with {' and '.join(names)}" if names else ""

    def _doing(self) -> str:
        """`: tracing it`, as far as the script has told what it does."""
        told = [text for work in self.question.works if (text := self.subject.doing.get(work))]
        return f": {told[-1]}" if told else ""

    def words(self) -> str:
        """What the tab says while it has nothing to show: a line, and more below it."""
        subject, done = self.subject, self.question.done
        if self.open and subject.paused:
            seconds = f"{time.monotonic() - self._since:.0f} s"
            also = f"{self._on_top()}," if self._on_top() else ""
            return (
                f"{self.question.doing}{also} with the arguments of batch {self.step}{self._doing()} … {seconds}\n"
                "It runs in a sandbox: variables, random numbers and your Python objects are put back"
            )
        if self.open:
            return (
                f"The step is {done} when the batch that runs has ended\n"
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
                f"The script has ended, so its step cannot be {done} any more\n"
                "R starts it again; this tab then asks while it runs"
            )
        if not subject.ended_steps:
            return f"The step is {done} when the first batch has ended\n" + (
                "n runs to the end of the batch"
                if subject.paused
                else "A batch is where a gradient tape is opened"
            )
        return f"The step has not been {done} yet\nr does it"

    def _of_recording(self) -> str:
        subject = self.subject
        if not subject.counts.ops:
            return subject.waiting_for()
        script = subject.reader.meta.script.rsplit("/", 1)[-1] if subject.reader is not None else "SCRIPT"
        question = self.question
        return (
            f"This recording does not hold {question.missing}\n"
            f"{question.command} {script}\n"
            f"or open the script itself, tapeinspect {script}, and press {question.tab}"
        )
