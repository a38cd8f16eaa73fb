"""Keys that look at something else: tabs, panes, values, curves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tapeinspect.ui.screens.run_deeds import RunDeeds
from tapeinspect.ui.widgets.bars import Footer, TabBar

if TYPE_CHECKING:
    from tapeinspect.ui.panes.tape import TapePane


class LookDeeds(RunDeeds):
    """Go to a tab, a pane, a frame of the stack, a value."""

    async def action_tab(self, tab: int) -> None:
        await self._main.open_tab(tab)

    async def on_tab_bar_picked(self, event: TabBar.Picked) -> None:
        await self._main.open_tab(event.tab)

    async def on_footer_pressed(self, event: Footer.Pressed) -> None:
        if event.action.id == "next_pane":
            self.focus_next()
        else:
            await self.run_action(event.action.id)

    def action_zoom(self) -> None:
        pane = self._main.pane(self._main.tab)
        if hasattr(pane, "zoom"):
            pane.zoom()
        else:
            self.say("This tab has the whole screen already.")

    def _walk(self, direction: int) -> None:
        if self._main.tab != 1 or not self._main.trace_pane.walk_stack(direction):
            self.say(
                "This is the outermost frame of your code."
                if direction > 0
                else "This is the innermost frame."
            )

    def action_stack_up(self) -> None:
        self._walk(1)

    def action_stack_down(self) -> None:
        self._walk(-1)

    def action_sort(self) -> None:
        pane = self._main.pane(self._main.tab)
        if hasattr(pane, "sort_next"):
            pane.sort_next()
        else:
            self.say("The table in Gradients (3) can be sorted.")

    def _go_to_flagged(self, direction: int) -> None:
        main = self._main
        pane = main.pane(main.tab)
        if hasattr(pane, "go_to_flagged"):
            if words := pane.go_to_flagged(direction):
                self.say(words)
        else:
            self.say("Lines are flagged in AutoGraph (4).")

    def action_next_flagged(self) -> None:
        self._go_to_flagged(1)

    def action_previous_flagged(self) -> None:
        self._go_to_flagged(-1)

    def action_value(self) -> None:
        main = self._main
        tensor = main.trace_pane.detail.tensor_here() if main.tab == 1 else None
        if main.tab != 1 and hasattr(pane := main.pane(main.tab), "tensor_here"):
            tensor = pane.tensor_here()
        if tensor is None:
            self.say("There is no tensor here: select an op with an output.", True)
        else:
            self.open_value(tensor)

    def open_value(self, tensor: int) -> None:
        """Open the grid of a tensor's values."""
        from tapeinspect.ui.screens.value import ValueScreen

        self.app.push_screen(ValueScreen(self._main.subject, tensor))

    def action_over_time(self) -> None:
        from tapeinspect.ui.over_time.screen import OverTimeScreen

        main = self._main
        variable = getattr(main.pane(3), "variable_here", lambda: None)() if main.tab == 3 else None

        def decided(step: int | None) -> None:
            if step is not None:
                self.view_batch(step)

        self.app.push_screen(OverTimeScreen(main.subject, main.viewed, variable), decided)

    async def on_tape_pane_op_picked(self, event: TapePane.OpPicked) -> None:
        main = self._main
        await main.open_tab(1)
        main.trace_pane.go_to_op(event.op)
