"""What every key of the main screen does."""

from __future__ import annotations

import dataclasses
import json
import math
from typing import TYPE_CHECKING, Any, cast

from textual.screen import Screen

from tapeinspect.trace.records import Finding, OpFilter
from tapeinspect.ui.actions import ACTIONS
from tapeinspect.ui.widgets.bars import Footer, TabBar
from tapeinspect.ui.widgets.line_list import LineList
from tapeinspect.ui.widgets.timeline import Timeline

if TYPE_CHECKING:
    from tapeinspect.ui.panes.autograph import AutographPane
    from tapeinspect.ui.panes.diff import DiffPane
    from tapeinspect.ui.panes.gradients import GradientsTable
    from tapeinspect.ui.panes.tape import TapePane
    from tapeinspect.ui.screens.main import MainScreen

_BY_ID = {action.id: action for action in ACTIONS}


class Deeds(Screen[None]):
    """The actions of the table in `tapeinspect.ui.actions`; the state they work on is in `MainScreen`."""

    @property
    def _main(self) -> MainScreen:
        return cast("MainScreen", self)

    def say(self, text: str, wrong: bool = False) -> None:
        """Tell the user something in a corner for a few seconds."""
        self.notify(text, severity="warning" if wrong else "information", timeout=5, markup=False)

    async def run_action_by_id(self, action: str) -> None:
        """Do what a key does."""
        await self.run_action(action)

    # run the script

    def _go(self, until: str) -> None:
        main = self._main
        if main.subject.recording:
            self.say("This is a recording: nothing runs. [ and ] walk through its batches.", True)
        elif not main.subject.live:
            self.say("The script has ended. R starts it again.", True)
        elif not main.subject.paused:
            self.say("The script is running. p pauses it at its next op.", True)
        else:
            main.following = True
            main.subject.go(until)
            main.refresh_bars()

    def action_next_batch(self) -> None:
        self._go("batch")

    def action_next_op(self) -> None:
        self._go("op")

    def action_finish_tape(self) -> None:
        self._go("tape")

    def action_go_on(self) -> None:
        self._go("end")

    def action_pause(self) -> None:
        main = self._main
        if not main.subject.live:
            self._go("op")
        elif main.subject.paused:
            self.say("It is paused already. n runs the next batch, c continues.")
        else:
            main.subject.pause()
            main.refresh_bars()

    def action_interrupt(self) -> None:
        if (text := self.get_selected_text()) is not None:
            self.app.copy_to_clipboard(text)
            self.say("Copied the selected text.")
        elif self._main.subject.live:
            self.action_pause()
        else:
            self.say("Nothing is selected, and no script runs. q quits.")

    def action_restart(self) -> None:
        main = self._main
        if main.subject.recording:
            self._go("batch")
            return
        from tapeinspect.ui.screens.confirm import Confirm

        def decided(yes: bool | None) -> None:
            if yes:
                self.app.exit(return_code=RESTART)

        if main.subject.live:
            self.app.push_screen(
                Confirm("Start the script again?", "It runs; it will be ended first.", "Restart"), decided
            )
        else:
            decided(True)

    # batches

    def view_batch(self, step: int) -> None:
        """View a batch, and follow the script when it is the newest."""
        main = self._main
        if not 1 <= step <= main.subject.counts.steps:
            self.say("There is no older batch." if step < 1 else "There is no newer batch.", True)
            return
        main.following = step == main.subject.counts.steps
        if main.trace_pane.whole_run:
            main.trace_pane.whole_run = False
        main.view(step)

    def action_older(self) -> None:
        self.view_batch((self._main.viewed or 1) - 1)

    def action_newer(self) -> None:
        self.view_batch((self._main.viewed or 0) + 1)

    def action_to_live(self) -> None:
        if self._main.subject.counts.steps:
            self.view_batch(self._main.subject.counts.steps)

    def on_timeline_picked(self, event: Timeline.Picked) -> None:
        self.view_batch(event.batch)

    def action_whole_run(self) -> None:
        pane = self._main.trace_pane
        pane.whole_run = not pane.whole_run
        pane.reload(keep=True)

    # look

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

    def _autograph(self) -> AutographPane | None:
        """The AutoGraph tab when it is the one in sight."""
        from tapeinspect.ui.panes.autograph import AutographPane

        pane = self._main.pane(self._main.tab)
        if isinstance(pane, AutographPane):
            return pane
        self.say("This key belongs to the AutoGraph tab (4).")
        return None

    def _step_pane(self) -> AutographPane | DiffPane | None:
        """The AutoGraph or the Diff tab when it is the one in sight."""
        from tapeinspect.ui.panes.autograph import AutographPane
        from tapeinspect.ui.panes.diff import DiffPane

        pane = self._main.pane(self._main.tab)
        if isinstance(pane, (AutographPane, DiffPane)):
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
        if (pane := self._autograph()) is not None:
            pane.toggle_functions()

    async def action_traces(self) -> None:
        if self._main.tab != 4:
            await self._main.open_tab(4)
        if (pane := self._autograph()) is not None:
            pane.toggle_traces()

    def action_trace_again(self) -> None:
        main = self._main
        if not main.subject.live:
            self._go("batch")
        elif (pane := self._step_pane()) is not None and not pane.ask_again():
            self.say("It can be asked for when the first batch has ended, and one at a time.", True)

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

    # find

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
        if not target.find(text.lower(), direction, here):
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

    # take away

    def action_copy(self) -> None:
        target = self.current_list()
        text = (self.get_selected_text() or (target.copy_text() if target else "")) or ""
        if text:
            self.app.copy_to_clipboard(text)
            lines = text.count("\n") + 1
            self.say(f"Copied: {text[:60]}" if lines == 1 else f"Copied {lines} lines.")
        else:
            self.say("There is nothing to copy here.", True)

    def action_copy_json(self) -> None:
        target = self.current_list()
        record = getattr(target, "copy_record", lambda: None)()
        if record is None:
            record = getattr(self._main.pane(self._main.tab), "copy_record", lambda: None)()
        if record is None and self._main.tab == 1:
            record = self._main.trace_pane.detail.op
        if record is None:
            self.say("There is nothing to copy as JSON here.", True)
            return
        self.app.copy_to_clipboard(json.dumps(jsonable(record), indent=2, ensure_ascii=False))
        self.say("Copied as JSON.")

    def action_export(self) -> None:
        from tapeinspect.ui.editor import EditorError, write_export

        exported = getattr(self._main.pane(self._main.tab), "export", lambda: None)()
        if exported is None:
            self.say(
                "There is no generated source here to export; `tapeinspect export` writes a recording.", True
            )
            return
        try:
            self.say(f"Written: {write_export(*exported)}")
        except EditorError as error:
            self.say(str(error), True)

    def action_edit(self) -> None:
        from textual.app import SuspendNotSupported

        from tapeinspect.ui.editor import EditorError, check_editor, place_here, run_editor

        place = place_here(self._main)
        if place is None:
            self.say("There is no line of yours here to edit.", True)
            return
        try:
            check_editor(place[0])
            with self.app.suspend():
                run_editor(*place)
        except EditorError as error:
            self.say(str(error), True)
        except SuspendNotSupported:
            self.say("The screen cannot be put aside for an editor here.", True)
        self.refresh(layout=True)

    # tapeinspect

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


RESTART = 250
"""Return code of the application that asks `run` to start over."""


def jsonable(record: Any) -> Any:
    """A record as JSON data: NaN and Inf as strings, bytes left out."""
    if dataclasses.is_dataclass(record) and not isinstance(record, type):
        return {field.name: jsonable(getattr(record, field.name)) for field in dataclasses.fields(record)}
    if isinstance(record, dict):
        return {str(key): jsonable(value) for key, value in record.items()}
    if isinstance(record, list | tuple):
        return [jsonable(value) for value in record]
    if isinstance(record, float) and not math.isfinite(record):
        return str(record)
    return None if isinstance(record, bytes) else record
