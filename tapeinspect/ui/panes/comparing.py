"""How a comparison stands on the screen: two sources above, ops and values below, and the story of a row."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical

from tapeinspect.ui.panes.autograph_lists import FunctionList, Story
from tapeinspect.ui.widgets.line_list import LineList
from tapeinspect.ui.widgets.side_by_side import SideBySide

NARROW = 110
"""Columns below which the sources, ops and values take turns."""


class ValueList(LineList):
    """Values; their rows name the columns."""

    has_head = True

    def head_line(self, width: int):  # type: ignore[no-untyped-def]
        head = getattr(self.rows, "head", None)
        return head(width, self.palette) if head is not None else []


class Comparing(Vertical):
    """The parts, which of them is in sight, and going from one to the next."""

    DEFAULT_CSS = """
    Comparing { height: 1fr; }
    Comparing .pairs { height: 42%; }
    Comparing .pairs #cmp-values { border-left: vkey $panel; }
    Comparing.-one .pairs { height: 1fr; }
    Comparing.-one .pairs #cmp-values { border-left: none; }
    Comparing Story { height: 8; }
    Comparing.-low Story { height: 6; }
    Comparing.-flat Story { height: 4; }
    """

    def make_parts(self) -> None:
        """To be called by `__init__`."""
        self.code = SideBySide(id="cmp-code")
        self.functions = FunctionList(id="cmp-functions")
        self.ops = LineList(id="cmp-ops")
        self.values = ValueList(id="cmp-values")
        self.pairs = Horizontal(self.ops, self.values, classes="pairs")
        self.story = Story(id="cmp-story")
        self.listing = False
        """The list of functions stands in the place of the code."""
        self.zoomed: LineList | None = None
        self.stop = 0
        """Which of `stops` is in sight where there is room for one."""
        for part in (self.ops, self.values, self.functions):
            part.at_once = self.tell
        self.code.at_once = self.tell
        self.code.chosen = self.code_chosen

    def compose(self) -> ComposeResult:
        yield self.functions
        yield self.code
        yield self.pairs
        yield self.story

    # what a pane of this kind has to have

    @property
    def has_content(self) -> bool:
        """There is something to show."""
        raise NotImplementedError

    def tell(self) -> None:
        """Tell the story of what the cursor is on."""
        raise NotImplementedError

    def code_chosen(self) -> None:
        """Enter was pressed on a line of code."""
        raise NotImplementedError

    def say_titles(self) -> None:
        """Bring the titles up to date."""
        raise NotImplementedError

    def toggle_folds(self) -> str:
        """Show what is folded away, or fold it again; what to say about it."""
        raise NotImplementedError

    def toggle_functions(self) -> None:
        """Go to the list of functions, or back to the code."""
        raise NotImplementedError

    @property
    def step_shown(self) -> int | None:
        """The batch whose step is shown; None where it is not the step of one script."""
        return None

    # what is in sight

    @property
    def narrow(self) -> bool:
        """There is room for one part only."""
        return 0 < self.size.width < NARROW

    @property
    def stops(self) -> Sequence[LineList]:
        """What `x` goes through."""
        right = [] if self.code.side(1).empty or not self.code.side(1).source else [self.code.right]
        return [self.code.left, *right, *([] if self.bare else [self.ops, self.values])]

    @property
    def bare(self) -> bool:
        """There is nothing but code: the step cannot be traced."""
        return not len(self.ops.rows) and not len(self.values.rows)

    @property
    def current(self) -> LineList:
        """The part that is in sight where there is room for one."""
        stops = self.stops
        return stops[min(self.stop, len(stops) - 1)]

    @property
    def front(self) -> LineList:
        """The part that has the focus when the tab is opened."""
        if self.listing:
            return self.functions
        return self.current if self.has_content else self.code.left

    def on_mount(self) -> None:
        self.lay_out()

    def on_resize(self) -> None:
        self.set_class(self.size.height < 28, "-low")
        self.set_class(self.size.height < 15, "-flat")
        self.lay_out()
        if self.has_content:
            self.say_titles()

    def lay_out(self) -> None:
        """Show and hide the parts for the size and the zoom."""
        content = self.has_content
        one = self.zoomed or (self.current if self.narrow and content else None)
        sides = self.code.lists
        self.set_class(one is not None, "-one")
        self.functions.display = self.listing and self.zoomed is None
        self.code.display = not self.functions.display and (one is None or one in sides or not content)
        self.ops.display, self.values.display = (one in (None, part) for part in (self.ops, self.values))
        below = one in (None, self.ops, self.values) and not (self.listing and self.narrow)
        self.pairs.display = content and below and not self.bare
        self.story.display = content and self.zoomed is None
        if self.code.display and one in sides and self.narrow and self.code.current is not one:
            self.code.activate(1 if one is self.code.right else 0)

    def go(self, part: LineList, row: int | None = None) -> None:
        """Bring a part into sight and focus it, with the cursor on a row."""
        self.unzoom()
        self.listing = False
        stops = list(self.stops)
        self.stop = stops.index(part) if part in stops else 0
        self.lay_out()
        if row is not None:
            part.move_to(row)
        part.focus()
        self.say_titles()
        self.tell()

    def other_side(self) -> None:
        """Go to the next of the two sources, the ops and the values."""
        if not self.has_content:
            return
        stops = list(self.stops)
        at = next((i for i, part in enumerate(stops) if part.has_focus), min(self.stop, len(stops) - 1))
        self.go(stops[(at + 1) % len(stops)])

    def on_descendant_focus(self) -> None:
        stops = list(self.stops)
        focused = next((i for i, part in enumerate(stops) if part.has_focus), None)
        if focused is not None:
            self.stop = focused
        self.tell()

    def list_functions(self, on: bool) -> None:
        """Put the list of functions in the place of the code, or take it away."""
        self.unzoom()
        self.listing = on
        self.lay_out()
        self.front.focus()
        self.tell()

    def zoom(self) -> None:
        """Give the focused part all the room, or take it back."""
        if self.unzoom() or not self.has_content:
            return
        self.zoomed = next((part for part in self.stops if part.has_focus), self.current)
        if self.zoomed in self.code.lists and not self.code.alone:
            self.code.toggle_alone()
        self.lay_out()
        self.say_titles()

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
        """Leave the zoom or the list of functions; False when there is nothing to leave."""
        if self.unzoom():
            return True
        if self.listing:
            self.list_functions(False)
            return True
        return False
