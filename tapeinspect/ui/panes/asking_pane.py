"""A tab whose content the running script is asked for: when to ask, and what to say meanwhile."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from textual.containers import Vertical

from tapeinspect.errors import TraceError
from tapeinspect.ui.panes.asking import Asking, Question
from tapeinspect.ui.widgets.work import begin

if TYPE_CHECKING:
    from tapeinspect.ui.subject import Subject


class AskingPane(Vertical):
    """Asks once by itself when it is opened and there is nothing to show; then when the user wants it."""

    def __init__(self, subject: Subject, question: Question, id: str | None = None) -> None:
        super().__init__(id=id)
        self.subject = subject
        self.step: int | None = None
        """The batch that is viewed."""
        self.asking = Asking(subject, question)
        self.asking.begun = self.remind

    # what a pane of this kind has to have

    @property
    def has_content(self) -> bool:
        """There is something to show."""
        raise NotImplementedError

    @property
    def waiting_words(self) -> str:
        """What the pane says in place of content."""
        raise NotImplementedError

    def look(self) -> None:
        """Show what the recording has got since. May raise TraceError."""
        raise NotImplementedError

    def wait(self) -> None:
        """Show `asking.words()` in place of content."""
        raise NotImplementedError

    def say_titles(self) -> None:
        """Bring the titles up to date."""
        raise NotImplementedError

    def left_to_ask(self) -> tuple[Sequence[str], int | None] | None:
        """Works, and for which batch, to ask for by itself though there is content."""
        return None

    # what happens

    def on_mount(self) -> None:
        self.set_interval(0.5, self.remind)

    def view(self, step: int | None, at_end: bool = False) -> None:
        """Show a batch, or what there is of another."""
        self.step = step
        self.load()
        self._ask_if_nothing_is_there()

    def grow(self) -> None:
        """The recording has grown."""
        if self.has_class("-active"):
            self.load()
            self._ask_if_nothing_is_there()

    def load(self) -> None:
        """Look for what the recording has got since."""
        try:
            self.look()
        except TraceError as error:
            self.subject.damaged(error)

    def remind(self) -> None:
        """Bring up to date what is waited for."""
        if not self.has_class("-active"):
            return
        if self.asking.open:
            self.load()
        if self.has_content:
            self.say_titles()
            return
        if self.asking.words() != self.waiting_words:
            self.wait()
        self._ask_if_nothing_is_there()

    # asking

    def _ask_if_nothing_is_there(self) -> None:
        if not self.has_class("-active") or not self.asking.possible or self.asking.trouble:
            return
        if not self.has_content:
            self.ask_again()
        elif (left := self.left_to_ask()) is not None:
            begin(self, lambda: self._ask(*left, {}), "ask")

    def ask_again(self, options: Mapping[str, Any] | None = None) -> bool:
        """Ask the script on the viewed batch; False when it cannot be asked."""
        if not self.asking.possible:
            return False
        begin(self, lambda: self._ask(None, self.step, options or {}), "ask")
        return True

    async def _ask(self, works: Sequence[str] | None, step: int | None, options: Mapping[str, Any]) -> None:
        done = await self.asking.ask(step, works, options)
        if self.asking.trouble and self.has_content:
            self.app.notify(self.asking.trouble, severity="warning", timeout=8, markup=False)
        if self.subject.reader is not None:
            self.subject.reader.refresh()
        self.load()
        self.remind()
        if done and works is None:
            self.answered(options)

    def answered(self, options: Mapping[str, Any]) -> None:
        """What was asked for is there."""
