"""The parts of the AutoGraph tab, and which of them are in sight."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.app import ComposeResult

from tapeinspect.trace.records import AutographFunction, AutographRun
from tapeinspect.ui.panes.asking import AUTOGRAPH
from tapeinspect.ui.panes.asking_pane import AskingPane
from tapeinspect.ui.panes.autograph_lists import FailureCard, FunctionList, Story
from tapeinspect.ui.panes.autograph_traces import TraceList
from tapeinspect.ui.widgets.line_list import LineList
from tapeinspect.ui.widgets.side_by_side import SideBySide

if TYPE_CHECKING:
    from tapeinspect.ui.subject import Subject

LOW = 30
"""Rows below which the list of functions and the code take turns."""


class AutographParts(AskingPane):
    """A card of what failed, the functions, their two sources, the traces, and a story: laid out, zoomed, exchanged."""

    DEFAULT_CSS = """
    AutographParts { height: 1fr; }
    AutographParts Story { height: 8; }
    AutographParts.-low Story { height: 6; }
    AutographParts.-flat Story { height: 4; }
    AutographParts.-low FailureCard { max-height: 3; }
    AutographParts TraceList { height: 1fr; }
    """

    def __init__(self, subject: Subject, id: str | None = None) -> None:
        super().__init__(subject, AUTOGRAPH, id=id)
        self.run_shown: AutographRun | None = None
        self.functions: list[AutographFunction] = []
        self.view_of = "code"
        """code, functions (the list has all the room) or traces."""
        self.zoomed: LineList | None = None
        self.card = FailureCard(id="ag-card")
        self.list = FunctionList(id="ag-functions")
        self.code = SideBySide(id="ag-code")
        self.traces = TraceList(id="ag-traces")
        self.story = Story(id="ag-story")

    def compose(self) -> ComposeResult:
        yield self.card
        yield self.list
        yield self.code
        yield self.traces
        yield self.story

    def on_mount(self) -> None:
        self.lay_out()

    def tell(self) -> None:
        """Tell the story of what the cursor is on."""
        raise NotImplementedError

    # what is in sight

    @property
    def low(self) -> bool:
        """There is no room for the list of functions above the code."""
        return 0 < self.size.height < LOW

    def on_resize(self) -> None:
        self.set_class(self.low, "-low")
        self.set_class(self.size.height < 15, "-flat")
        self.lay_out()
        self.say_titles()

    def lay_out(self) -> None:
        """Show and hide the parts for the view, the size and the zoom."""
        run, view, zoomed = self.run_shown, self.view_of, self.zoomed
        code = view == "code"
        shown = {
            self.card: code and run is not None and self.card.failure is not None,
            self.list: view == "functions" or (code and not self.low and bool(self.functions)),
            self.traces: view == "traces",
            self.story: run is not None if view != "traces" else self.traces.trace is not None,
        }
        for part, display in shown.items():
            part.display = display if zoomed is None else part is zoomed
        self.code.display = code if zoomed is None else zoomed in self.code.lists
        whole = view == "functions" or zoomed is self.list
        self.list.styles.height = "1fr" if whole else min(10, len(self.functions) + 2)

    @property
    def front(self) -> LineList:
        """The part that has the focus when the tab is opened."""
        return {"functions": self.list, "traces": self.traces}.get(self.view_of, self.code.current)

    # what the user wants

    def toggle_traces(self) -> None:
        """Show the traces of the run, or the code again."""
        self._switch("traces")

    def toggle_functions(self) -> None:
        """Go to the list of functions, or back to the code."""
        if self.low or self.view_of != "code":
            self._switch("functions")
        else:
            (self.code.current if self.list.has_focus else self.list).focus()

    def _switch(self, view: str) -> None:
        self.view_of = "code" if self.view_of == view else view
        self.unzoom()
        self.traces.list_all(self.subject.reader)
        self.lay_out()
        self.front.focus()
        self.tell()

    def zoom(self) -> None:
        """Give the focused part all the room, or take it back."""
        if self.zoomed is not None:
            self.unzoom()
            return
        parts = (self.card, self.list, *self.code.lists, self.traces, self.story)
        self.zoomed = next((part for part in parts if part.has_focus), self.front)
        if self.zoomed in self.code.lists and not self.code.alone:
            self.code.toggle_alone()
        self.lay_out()

    def unzoom(self) -> bool:
        """Leave the zoom; False when there is none."""
        if self.zoomed is None:
            return False
        self.zoomed = None
        if self.code.alone:
            self.code.toggle_alone()
        self.lay_out()
        return True

    def clear(self) -> bool:
        """Leave the zoom, or the traces or the list; False when there is nothing to leave."""
        if self.unzoom():
            return True
        if self.view_of == "code":
            return False
        self._switch(self.view_of)
        return True
