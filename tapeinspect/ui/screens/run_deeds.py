"""Keys that run the script, and walk through its batches."""

from __future__ import annotations

from tapeinspect.ui.screens.doing import RESTART, Doing
from tapeinspect.ui.widgets.timeline import Timeline


class RunDeeds(Doing):
    """Run, pause, restart; older and newer batches."""

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
