"""Keys of the tabs AutoGraph and Diff, which run the step once more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tapeinspect.ui.screens.run_deeds import RunDeeds

if TYPE_CHECKING:
    from tapeinspect.ui.panes.autograph import AutographPane
    from tapeinspect.ui.panes.comparing import Comparing
    from tapeinspect.ui.panes.recordings import RecordingsPane


class StepDeeds(RunDeeds):
    """Trace or compare the step, and go about in what came of it."""

    def _autograph(self) -> AutographPane | None:
        """The AutoGraph tab when it is the one in sight."""
        from tapeinspect.ui.panes.autograph import AutographPane

        pane = self._main.pane(self._main.tab)
        if isinstance(pane, AutographPane):
            return pane
        self.say("This key belongs to the AutoGraph tab (4).")
        return None

    def _step_pane(self) -> AutographPane | Comparing | None:
        """The AutoGraph or the Diff tab when it is the one in sight."""
        from tapeinspect.ui.panes.autograph import AutographPane
        from tapeinspect.ui.panes.comparing import Comparing

        pane = self._main.pane(self._main.tab)
        if isinstance(pane, (AutographPane, Comparing)):
            return pane
        self.say("This key belongs to the tabs AutoGraph (4) and Diff (5).")
        return None

    def action_fold(self) -> None:
        if (pane := self._step_pane()) is not None and (text := pane.toggle_folds()):
            self.say(text)

    def action_other_side(self) -> None:
        pane = self._main.pane(self._main.tab)
        if self._main.tab == 2 and hasattr(pane, "other_side"):
            pane.other_side()
        elif (both := self._step_pane()) is not None:
            both.other_side()

    def action_functions(self) -> None:
        if (pane := self._step_pane()) is not None:
            pane.toggle_functions()

    async def action_traces(self) -> None:
        if self._main.tab != 4:
            await self._main.open_tab(4)
        if (pane := self._autograph()) is not None:
            pane.toggle_traces()

    def on_recordings_pane_batch_picked(self, event: RecordingsPane.BatchPicked) -> None:
        self.view_batch(event.batch)

    def action_xla(self) -> None:
        self._ask_for("xla")

    def action_grappler(self) -> None:
        self._ask_for("grappler")

    def _ask_for(self, name: str) -> None:
        from tapeinspect.ui.panes.diff import DiffPane

        pane = self._main.pane(self._main.tab)
        if not isinstance(pane, DiffPane):
            two = self._main.tab == 5
            self.say(
                "Two recordings are compared: nothing runs."
                if two
                else "This key belongs to the Diff tab (5)."
            )
        elif text := pane.ask_for(name):
            self.say(text)

    def action_trace_again(self) -> None:
        from tapeinspect.ui.panes.asking_pane import AskingPane

        main = self._main
        if not main.subject.live:
            self._go("batch")
        elif isinstance(pane := self._step_pane(), AskingPane) and not pane.ask_again():
            self.say("It can be asked for when the first batch has ended, and one at a time.", True)
