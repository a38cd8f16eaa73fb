"""What every key of the main screen does."""

from __future__ import annotations

from tapeinspect.ui.screens.doing import RESTART
from tapeinspect.ui.screens.look_deeds import LookDeeds
from tapeinspect.ui.screens.take_deeds import TakeDeeds, jsonable

__all__ = ["RESTART", "Deeds", "jsonable"]


class Deeds(LookDeeds, TakeDeeds):
    """The actions of the table in `tapeinspect.ui.actions`; the state they work on is in `MainScreen`."""

    async def run_action_by_id(self, action: str) -> None:
        """Do what a key does."""
        await self.run_action(action)

    def action_help(self) -> None:
        from tapeinspect.ui.screens.help import HelpScreen

        self.app.push_screen(HelpScreen(self._main.subject))

    def action_leave(self) -> None:
        if not self._main.subject.live:
            self.app.exit(return_code=0)
            return
        from tapeinspect.ui.screens.confirm import Confirm

        def decided(yes: bool | None) -> None:
            if yes:
                self.app.exit(return_code=0)

        if self.app.screen is self:
            detail = (
                "The script still runs. Leaving ends it; everything recorded so far stays in the recording."
            )
            self.app.push_screen(Confirm("Leave tapeinspect?", detail, "End the script"), decided)
