"""The line at the bottom where a filter or a text to find is typed."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, cast

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.timer import Timer
from textual.widgets import Input, Label

if TYPE_CHECKING:
    from tapeinspect.ui.screens.main import MainScreen


class Prompt(Horizontal):
    """Filters while it is typed; Enter keeps it, Esc takes it back."""

    DEFAULT_CSS = """
    Prompt { height: 1; background: $panel; }
    Prompt Label { color: $accent; padding: 0 1; text-style: bold; }
    Prompt Input { width: 1fr; height: 1; border: none; padding: 0; background: $panel; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss", "Cancel", show=False, priority=True)
    ]

    def __init__(self, kind: str, text: str) -> None:
        super().__init__()
        self.kind, self.text = kind, text
        self._timer: Timer | None = None

    def compose(self) -> ComposeResult:
        hint = (
            "words, type:MatMul, line:23, nan, tape, backward"
            if self.kind == "filter"
            else "text in this pane"
        )
        yield Label(f"{self.kind} /", markup=False)
        yield Input(self.text, placeholder=hint, compact=True)

    def on_mount(self) -> None:
        self._before = self.screen.focused
        self.query_one(Input).focus()

    @property
    def _main(self) -> MainScreen:
        return cast("MainScreen", self.screen)

    def on_input_changed(self, event: Input.Changed) -> None:
        if self.kind == "filter":
            if self._timer is not None:
                self._timer.stop()
            text = event.value.strip()
            self._timer = self.set_timer(0.08, lambda: self._filter(text))

    def _filter(self, text: str) -> None:
        pane = self._main.trace_pane
        if pane.text != text:
            pane.text = text
            pane.reload(keep=True)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        text = event.value.strip()
        self._close()
        if self.kind == "filter":
            self._filter(text)
        else:
            self._main.search = text
            self._main.find(text, here=False)

    def action_dismiss(self) -> None:
        if self.kind == "filter":
            self._filter(self.text)
        self._close()

    def _close(self) -> None:
        if self._timer is not None:
            self._timer.stop()
        self._main.footer.display = True
        if self._before is not None:
            self.screen.set_focus(self._before)  # at once: what is found is looked for in the focused list
        self.remove()
