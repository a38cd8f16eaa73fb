"""The main screen: header, timeline, tabs, panes, footer."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, ClassVar, Protocol, cast

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.reactive import Reactive
from textual.widget import Widget

from tapeinspect.errors import TraceError
from tapeinspect.ui.actions import ACTIONS, Action
from tapeinspect.ui.findings import Findings
from tapeinspect.ui.panes.output import OutputPane
from tapeinspect.ui.panes.trace import TracePane
from tapeinspect.ui.screens.deeds import Deeds
from tapeinspect.ui.screens.facts import bad_steps, header_facts, timeline_batches, timeline_waiting
from tapeinspect.ui.subject import terminal_size
from tapeinspect.ui.widgets.bars import Footer, Header, TabBar
from tapeinspect.ui.widgets.line_list import LineList
from tapeinspect.ui.widgets.timeline import Timeline
from tapeinspect.ui.widgets.work import begin

if TYPE_CHECKING:
    from tapeinspect.ui.subject import Changes, Subject

RATE = 15
"""Looks a second at what the script and the recording have brought."""


class TabPane(Protocol):
    """What the main screen needs of the content of a tab."""

    def view(self, step: int | None, at_end: bool = False) -> None:
        """Show a batch."""

    def grow(self) -> None:
        """The recording has grown."""


class MainScreen(Deeds):
    """One batch of a run, from every side."""

    DEFAULT_CSS = """
    MainScreen { layout: vertical; background: $background; }
    MainScreen #body { height: 1fr; }
    MainScreen #body > * { display: none; }
    MainScreen #body > .-active { display: block; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(",".join(action.keys), action.id, action.label, show=False)
        for action in ACTIONS
        if action.id not in ("next_pane", "palette")
    ]

    focused: Reactive[Widget | None] = Reactive(None, repaint=False)
    """What gets the focus and what loses it paint themselves: no need to paint the whole screen, as Textual does."""

    def __init__(self, subject: Subject) -> None:
        super().__init__()
        self.subject = subject
        self.viewed: int | None = None
        """The batch that is shown; None when there is none, or for the whole run."""
        self.following = not subject.recording
        """The view goes with the script from batch to batch."""
        self.tab = 1
        self.search = ""
        """The text that `.` and `,` look for."""
        self.findings = Findings(subject)
        self.header = Header(id="header")
        self.timeline = Timeline(id="timeline")
        self.tabs = TabBar(id="tabs")
        self.footer = Footer(id="footer")
        self.trace_pane = TracePane(subject, id="trace")
        self.output_pane = OutputPane(subject, id="output")
        self.panes: dict[int, Widget] = {1: self.trace_pane, 6: self.output_pane}
        self._fresh: set[int] = {1}
        """Tabs that show the viewed batch; the others are brought up to date when they are opened."""
        self._bad: frozenset[int] = frozenset()
        self._bad_at = (-1, -1)
        self._told = 0
        """How many troubles the user has been told of."""

    def compose(self) -> ComposeResult:
        yield self.header
        yield self.timeline
        yield self.tabs
        with Container(id="body"):
            yield self.trace_pane
        yield self.footer

    def on_mount(self) -> None:
        self.trace_pane.add_class("-active")
        self.trace_pane.ops.focus()
        self.set_interval(1 / RATE, self.tick)
        self._begin()

    def _begin(self) -> None:
        if self.subject.counts.steps:
            failed = self.subject.failures[-1].step if self.subject.failures else None
            first = failed or 1
            self.view(first if self.subject.recording else self.subject.newest, at_end=failed is not None)
        elif self.subject.reader is not None:
            self.view(None)
        self.refresh_bars()

    def on_resize(self, event: events.Resize) -> None:
        columns, rows = terminal_size(event.size.width, event.size.height)
        self.subject.resize(columns, rows)
        self.timeline.set_class(event.size.height < 20, "-flat")

    # what happens

    def tick(self) -> None:
        """Take in what the script and the recording have brought."""
        changes = self.subject.poll()
        if changes.output and 6 in self._fresh:
            self.output_pane.follow()
        if changes.output and self.tab != 6:
            self.tabs.mark(6, "new", "good")
        if changes.trace or changes.paused:
            self._grown(changes)
        if changes.state and self.subject.exited:
            self.output_pane.end()
        for trouble in self.subject.troubles[self._told :]:
            text = f"{trouble.message}\n{trouble.hint}" if trouble.hint else trouble.message
            self.notify(text, severity="error" if trouble.fatal else "warning", timeout=12, markup=False)
        self._told = len(self.subject.troubles)
        self._fail()
        if self.findings.due():
            self.look_for_findings()
        waiting = not self.subject.counts.ops and (self.subject.live or changes.state)
        if waiting:
            self.trace_pane.reload()
        if changes.state or changes.trace or waiting:
            self.refresh_bars()

    def look_for_findings(self) -> None:
        """Look for findings in a thread; the bars show them when they are there."""
        begin(self, self._look_for_findings, "findings")

    async def _look_for_findings(self) -> None:
        before = self.findings.found
        await asyncio.to_thread(self.findings.look)
        if self.findings.found != before:
            self.refresh_bars()

    def _grown(self, changes: Changes) -> None:
        newest = self.subject.newest
        stopped_inside = changes.paused and self._inside(newest)
        if self.following and (stopped_inside or newest != self.viewed) and self.subject.reader is not None:
            self.view(newest, at_end=stopped_inside)
        else:
            for tab in self._fresh:
                self.pane(tab).grow()

    def _inside(self, step: int | None) -> bool:
        """The script has stopped in the middle of a batch: its last op is where it stands."""
        reader = self.subject.reader
        return step is not None and reader is not None and reader.step(step).last_op is None

    def _fail(self) -> None:
        if self.subject.failures and self.output_pane.card.failure is not self.subject.failures[-1]:
            self.output_pane.fail(self.subject.failures[-1])
            self.tabs.mark(6, "exception", "bad")
            if self.subject.target is not None:
                failure = self.subject.failures[-1]
                if self.tab != 6:
                    text = f"{failure.type}\n6 shows the exception"
                    self.notify(text, severity="error", timeout=8, markup=False)
                if self.following and self.tab == 1:
                    self.view(self.viewed, at_end=True)

    def refresh_bars(self) -> None:
        """Bring header, timeline and footer up to date."""
        subject = self.subject
        self.header.say(header_facts(subject, self.viewed, self.findings.found))
        at = (subject.counts.steps, subject.counts.ops if subject.paused or subject.exited else -2)
        if at != self._bad_at:
            before = self._bad
            self._bad_at, self._bad = at, bad_steps(subject)
            if self._bad and not before and subject.target is not None:
                text = f"NaN or Inf in batch {min(self._bad)}\nN goes to the first op that has it"
                self.notify(text, severity="warning", timeout=8, markup=False)
        live = subject.counts.steps or None if subject.live else None
        batches = timeline_batches(subject, self._bad, self.findings.steps())
        self.timeline.say(batches, self.viewed, live, timeline_waiting(subject))
        off = frozenset(action.id for action in ACTIONS if not self.can(action))
        self.footer.offer(self.tab, off, frozenset(action.id for action in ACTIONS if self._idle(action)))

    # what is shown

    def pane(self, tab: int) -> TabPane:
        """The content of a tab, made when it is first needed."""
        if tab not in self.panes:
            self.panes[tab] = self._make(tab)
        return cast(TabPane, self.panes[tab])

    def _make(self, tab: int) -> Widget:
        if tab == 2:
            from tapeinspect.ui.panes.backward import TapeTab

            return TapeTab(self.subject, id="tape")
        if tab == 3:
            from tapeinspect.ui.panes.gradients import GradientsPane

            return GradientsPane(self.subject, id="gradients")
        if tab == 4:
            from tapeinspect.ui.panes.autograph import AutographPane

            return AutographPane(self.subject, id="autograph")
        if self.subject.other is not None:
            from tapeinspect.ui.panes.recordings import RecordingsPane

            return RecordingsPane(self.subject, self.subject.other, id="diff")
        from tapeinspect.ui.panes.diff import DiffPane

        return DiffPane(self.subject, id="diff")

    def view(self, step: int | None, at_end: bool = False) -> None:
        """View a batch (None: the whole run, when there is no batch)."""
        self.viewed = step
        self._fresh = {self.tab}
        try:
            self.pane(self.tab).view(step, at_end)
            self.refresh_bars()
        except TraceError as error:
            self.subject.damaged(error)

    async def open_tab(self, tab: int) -> None:
        """Show a tab."""
        pane = cast(Widget, self.pane(tab))
        if not pane.is_attached:
            await self.query_one("#body").mount(pane)
        for other in self.panes.values():
            other.set_class(other is pane, "-active")
        self.tab = tab
        self.tabs.pick(tab)
        if tab == 6:
            self.tabs.mark(6, "exception" if self.subject.failures else "", "bad")
        if tab not in self._fresh:
            self._fresh.add(tab)
            self.pane(tab).view(self.viewed)
        lists = [pane] if isinstance(pane, LineList) else pane.query(LineList)
        front = getattr(pane, "front", None) or next(found for found in lists if found.display)
        front.focus()
        self.refresh_bars()

    def can(self, action: Action) -> bool:
        """The action makes sense now."""
        subject = self.subject
        if action.id == "restart":
            return not subject.recording
        if action.id == "interrupt":
            return True
        if action.id in ("next_batch", "next_op", "finish_tape", "go_on"):
            return subject.paused
        if action.id == "pause":
            return subject.live and subject.status.state in ("running", "importing")
        if action.id == "first_bad":
            return bool(self._bad)
        if action.id == "trace_again":
            return subject.live and subject.ended_steps > 0
        if action.id in ("xla", "grappler"):
            return (subject.live and subject.ended_steps > 0) or self._has_asked_for(action.id)
        if action.id == "older":
            return bool(self.viewed and self.viewed > 1)
        if action.id == "newer":
            return bool(self.viewed and self.viewed < subject.counts.steps)
        if action.id == "to_live":
            return bool(subject.counts.steps) and self.viewed != subject.counts.steps
        return True

    def _idle(self, action: Action) -> bool:
        """There is nothing yet, or any more, that the action could be done with."""
        subject, pane = self.subject, self.panes.get(self.tab)
        if action.id == "restart":
            return not subject.exited or subject.recording
        if action.group == "Run the script":
            return subject.exited
        if action.id == "to_live":
            return not self.can(action)
        if action.group == "tapeinspect" or self.tab == 6:
            return False
        if action.id in ("functions", "fold", "other_side", "xla", "grappler") and self.tab in (4, 5):
            return not getattr(pane, "has_content", True)
        return not subject.counts.ops

    def _has_asked_for(self, name: str) -> bool:
        """The Diff tab shows what XLA or Grappler makes of the step."""
        has = getattr(self.panes.get(5), "has_asked_for", None)
        return has is not None and has(name)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return True
