"""A card over the main screen: a loop with its body as a function, to be pasted in the loop's place."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen

from tapeinspect.trace.records import LoopBody
from tapeinspect.ui.format import basename, visible
from tapeinspect.ui.highlight import coloured_lines
from tapeinspect.ui.palette import Palette
from tapeinspect.ui.widgets.cells import Line, wrap
from tapeinspect.ui.widgets.line_list import LineList, TextRows


class AsFunctionScreen(ModalScreen[None]):
    """The card; y copies the code."""

    DEFAULT_CSS = """
    AsFunctionScreen { align: center middle; background: $background 60%; }
    AsFunctionScreen LineList { width: 96%; max-width: 116; height: 92%; max-height: 42; background: $surface; }
    AsFunctionScreen.-slim LineList { width: 100%; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,M,ctrl+q", "dismiss", "Close", show=False),
        Binding("y", "copy", "Copy", show=False),
    ]

    def __init__(self, body: LoopBody) -> None:
        super().__init__()
        self.body = body
        self.list = LineList(id="as-function", title="The loop with its body as a function")
        self.list.note = "y copies · Esc closes"

    def compose(self) -> ComposeResult:
        yield self.list

    def on_mount(self) -> None:
        self.list.focus()

    def on_resize(self) -> None:
        self.call_after_refresh(self._fill)

    def _fill(self) -> None:
        self.list.show(TextRows(lines(self.body, self.list.palette, self.list.inner_width)))

    def action_copy(self) -> None:
        self.app.copy_to_clipboard(self.body.code)
        self.notify("Copied: the code", timeout=5, markup=False)


def lines(body: LoopBody, palette: Palette, width: int) -> list[Line]:
    """The card."""
    place = f"{basename(body.path)}:{body.line}"
    said = f"In the place of the loop at {place}: what AutoGraph and Diff look at, a function of one batch."
    made: list[Line] = [[(f" {part}", palette.muted)] for part in wrap(visible(said), max(20, width - 2))]
    made.append([])
    if not body.code:
        return [*made, [(" The recording holds no source.", palette.text)]]
    for words in coloured_lines(body.code.rstrip("\n")):
        made.append([(" ", palette.text), *((text, getattr(palette, kind)) for text, kind in words)])
    return made
