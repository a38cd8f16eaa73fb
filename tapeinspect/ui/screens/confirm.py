"""A question with two answers."""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen

from tapeinspect.ui.widgets.bars import Bar
from tapeinspect.ui.widgets.cells import Line, wrap


class Question(Bar):
    """The box with the question."""

    DEFAULT_CSS = """
    Question { width: 64; max-width: 90%; height: auto; background: $panel; padding: 1 2; border: none; }
    """

    def __init__(self, question: str, detail: str, yes: str) -> None:
        super().__init__()
        self.question, self.detail, self.yes = question, detail, yes

    def get_content_height(self, container: object, viewport: object, width: int) -> int:
        return len(wrap(self.detail, max(10, width))) + 4

    def line(self, y: int, width: int) -> Line:
        palette, detail = self.palette, wrap(self.detail, max(10, width))
        if y == 0:
            return [(self.question, palette.strong)]
        if 2 <= y < 2 + len(detail):
            return [(detail[y - 2], palette.text)]
        if y == 3 + len(detail):
            return [("y", palette.accent), (f" {self.yes}   ", palette.text), ("Esc", palette.accent),
                    (" stay", palette.text)]  # fmt: skip
        return []


class Confirm(ModalScreen[bool]):
    """Asks; True for yes."""

    DEFAULT_CSS = "Confirm { align: center middle; background: $background 60%; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y,enter,q,ctrl+q", "answer(True)", "Yes"),
        Binding("escape,n", "answer(False)", "No"),
    ]

    def __init__(self, question: str, detail: str, yes: str) -> None:
        super().__init__()
        self.box = Question(question, detail, yes)

    def compose(self) -> ComposeResult:
        yield self.box

    def action_answer(self, yes: bool) -> None:
        self.dismiss(yes)

    def on_click(self, event: events.Click) -> None:
        if event.widget is self:
            self.dismiss(False)
