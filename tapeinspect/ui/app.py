"""The Textual application."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING, ClassVar

from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.screen import Screen

from tapeinspect.ui.actions import ACTIONS, Action, shown_keys
from tapeinspect.ui.palette import DARK, LIGHT
from tapeinspect.ui.screens.main import MainScreen

if TYPE_CHECKING:
    from tapeinspect.ui.subject import Subject


class TapeApp(App[int]):
    """tapeinspect's screen on a recording or on a running script."""

    TITLE = "tapeinspect"
    ENABLE_COMMAND_PALETTE = True
    COMMAND_PALETTE_BINDING = "ctrl+p"
    CSS = """
    ToastRack { margin-bottom: 1; }
    CommandPalette SearchIcon { display: none; }
    """
    HORIZONTAL_BREAKPOINTS = [(0, "-slim"), (100, "-roomy")]  # noqa: RUF012 (as Textual declares it)
    """Cards over the main screen are as wide as a slim one."""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+q", "leave", "Quit", show=False, priority=True),
        Binding("ctrl+c", "interrupt", "Pause or copy", show=False),
    ]

    def __init__(self, subject: Subject) -> None:
        super().__init__()
        self.subject = subject
        self.main = MainScreen(subject)
        self.register_theme(DARK)
        self.register_theme(LIGHT)
        wanted = os.environ.get("TEXTUAL_THEME", "")
        wanted = wanted if wanted in self.available_themes else DARK.name
        # Textual has taken the name from the environment before it was told of our themes. It looks the colours up
        # only when the name changes.
        self.theme = LIGHT.name if wanted != LIGHT.name else DARK.name
        self.theme = wanted

    def get_default_screen(self) -> Screen[None]:
        return self.main

    async def action_leave(self) -> None:
        """Quit, asking while the script runs."""
        await self.main.run_action("leave")

    async def action_interrupt(self) -> None:
        """Pause the script."""
        await self.main.run_action("interrupt")

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """The table of actions, and the themes."""
        for action in ACTIONS:
            if action.id != "palette" and self.main.can(action):
                yield SystemCommand(_title(action), action.tooltip, _runner(self.main, action.id))
        yield SystemCommand(
            "Theme", "Change the colours: dark, light, or those of your terminal.", self.search_themes
        )


def _title(action: Action) -> str:
    """`Values  v`: what it is called, and the key that saves the way through the palette."""
    return f"{action.label[:1].upper()}{action.label[1:]}  {shown_keys(action)[0]}"


def _runner(main: MainScreen, action: str):  # type: ignore[no-untyped-def]
    async def run() -> None:
        await main.run_action(action)

    return run
