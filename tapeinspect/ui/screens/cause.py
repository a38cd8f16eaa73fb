"""A card over the main screen: why a gradient is None, or where a NaN came from."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen

from tapeinspect.ui.cause_lines import CauseLines
from tapeinspect.ui.palette import Palette
from tapeinspect.ui.widgets.line_list import LineList, TextRows

Build = Callable[[Palette, int], CauseLines]


class CauseList(LineList):
    """The lines of the card."""


class CauseScreen(ModalScreen["int | None"]):
    """The card; Enter gives the op of the line under the cursor."""

    DEFAULT_CSS = """
    CauseScreen { align: center middle; background: $background 60%; }
    CauseScreen CauseList { width: 96%; max-width: 116; height: 92%; max-height: 42; background: $surface; }
    CauseScreen.-slim CauseList { width: 100%; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,W,N,ctrl+q", "dismiss", "Close", show=False),
        Binding("y", "copy", "Copy", show=False),
    ]

    def __init__(self, title: str, build: Build) -> None:
        super().__init__()
        self.build = build
        self.card: CauseLines | None = None
        self.list = CauseList(id="cause", title=title)
        self.list.note = "Enter goes there · y copies · Esc closes"

    def compose(self) -> ComposeResult:
        yield self.list

    def on_mount(self) -> None:
        self.list.focus()

    def on_resize(self) -> None:
        self.call_after_refresh(self._fill)

    def _fill(self) -> None:
        self.card = self.build(self.list.palette, self.list.inner_width)
        self.list.show(TextRows(self.card.lines))

    def on_line_list_chosen(self, event: LineList.Chosen) -> None:
        event.stop()
        op = self.card.ops[event.index] if self.card is not None else None
        if op is not None:
            self.dismiss(op)

    def action_copy(self) -> None:
        if self.card is not None:
            self.app.copy_to_clipboard(self.card.copied())
            self.notify("Copied: the card", timeout=5, markup=False)
