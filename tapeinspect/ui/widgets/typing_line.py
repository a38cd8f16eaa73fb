"""The line that types to the script."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import Input


class TypingLine(Input):
    """An input whose Ctrl+D on an empty line ends the script's standard input."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+d", "end_of_input", "End of input", show=False),
        Binding("escape", "leave", "Leave", show=False),
    ]

    class Ended(Message):
        """The user wants the script to read the end of its input."""

    class Left(Message):
        """The user is done with typing."""

    def action_end_of_input(self) -> None:
        if self.value:
            self.action_delete_right()
        else:
            self.post_message(self.Ended())

    def action_leave(self) -> None:
        self.post_message(self.Left())
