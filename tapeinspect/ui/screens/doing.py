"""What the actions of the main screen have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from textual.screen import Screen

if TYPE_CHECKING:
    from tapeinspect.ui.screens.main import MainScreen

RESTART = 250
"""Return code of the application that asks `run` to start over."""


class Doing(Screen[None]):
    """A part of the main screen that carries out actions; the state they work on is in `MainScreen`."""

    @property
    def _main(self) -> MainScreen:
        return cast("MainScreen", self)

    def say(self, text: str, wrong: bool = False) -> None:
        """Tell the user something in a corner for a few seconds."""
        self.notify(text, severity="warning" if wrong else "information", timeout=5, markup=False)
