"""Keys that find: text, the first NaN, why a gradient is None, what is wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tapeinspect.trace.records import Finding, OpFilter
from tapeinspect.ui.screens.step_deeds import StepDeeds
from tapeinspect.ui.widgets.line_list import LineList

if TYPE_CHECKING:
    from tapeinspect.ui.panes.gradients import GradientsTable


class FindDeeds(StepDeeds):
    """Find and go there."""

    def action_find(self) -> None:
        from tapeinspect.ui.widgets.prompt import Prompt

        main = self._main
        if self.query(Prompt):
            return
        prompt = Prompt("filter" if main.tab == 1 else "find", main.trace_pane.text if main.tab == 1 else "")
        self.mount(prompt, before=main.footer)
        main.footer.display = False

    def current_list(self) -> LineList | None:
        """The list that has the focus, else the first one in sight."""
        if isinstance(self.focused, LineList):
            return self.focused
        return next((found for found in self.query(LineList) if found.display and found.is_on_screen), None)

    def find(self, text: str, direction: int = 1, here: bool = False) -> None:
        """Go to the next row of the current list that holds the text."""
        target = self.current_list()
        if target is None or not text or not len(target.rows):
            return
        rows, wanted = len(target.rows), text.lower()
        start = target.cursor if target.has_cursor else target.scroll_offset.y
        for distance in range(0 if here else 1, rows + 1):
            index = (start + direction * distance) % rows
            if wanted in target.text_of(index).lower():
                target.move_to(index)
                return
        self.say(f"“{text}” is not in this pane.", True)

    def _again(self, direction: int) -> None:
        main = self._main
        if main.tab == 1 and not main.search:
            if main.trace_pane.filtered:
                main.trace_pane.ops.action_move(direction)
            else:
                self.say("/ filters the ops, or finds text in the other panes.")
        else:
            self.find(main.search, direction)

    def action_find_next(self) -> None:
        self._again(1)

    def action_find_previous(self) -> None:
        self._again(-1)

    async def action_first_bad(self) -> None:
        from tapeinspect.ui.screens import explain

        await explain.first_bad(self._main)

    def action_why(self) -> None:
        from tapeinspect.ui.screens import explain

        explain.why(self._main)

    def on_gradients_table_why(self, event: GradientsTable.Why) -> None:
        self.action_why()

    def action_findings(self) -> None:
        from tapeinspect.ui.screens.findings import FindingsScreen

        main = self._main
        if main.findings.stale and not main.findings.running:
            main.look_for_findings()
        self.app.push_screen(FindingsScreen(main.subject, main.findings), self._go_to_finding)

    async def _go_to_finding(self, item: Finding | None) -> None:
        """View the batch of a finding and its op, or the first op of its line."""
        main, reader = self._main, self._main.subject.reader
        if item is None or reader is None:
            return
        if item.step is not None:
            self.view_batch(item.step)
        op = item.op
        if op is None and item.path is not None and item.line is not None:
            ops = reader.op_ids(OpFilter(step=item.step, path=item.path, line=item.line))
            op = ops[0] if len(ops) else None
        if op is None and item.path is not None and item.line is not None and reader.autograph.runs():
            await main.open_tab(4)
            if (pane := self._autograph()) is not None and pane.go_to(item.path, item.line):
                return
        if op is None:
            await main.open_tab(3)
        else:
            await main.open_tab(1)
            main.trace_pane.go_to_op(op)

    def action_clear(self) -> None:
        main = self._main
        main.search = ""
        self.clear_selection()
        pane = main.pane(main.tab)
        if hasattr(pane, "clear"):
            pane.clear()
