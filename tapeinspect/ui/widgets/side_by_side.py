"""Two sources side by side: aligned, scrolling together, the line under the cursor lit up in the other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final, cast

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.message import Message
from textual.widget import Widget

from tapeinspect.ui.format import count, visible
from tapeinspect.ui.highlight import Words, coloured_lines, plain_lines
from tapeinspect.ui.widgets.line_list import NoRows
from tapeinspect.ui.widgets.pairing import (
    LEFT,
    RIGHT,
    Fold,
    Links,
    Which,
    one_side,
    side_by_side,
)
from tapeinspect.ui.widgets.side_list import SideList
from tapeinspect.ui.widgets.side_rows import NOTHING, Mark, Side, SideRows, indent_of

NARROW: Final = 100
"""Columns below which one of the two is shown at a time."""

__all__ = ["Mark", "Side", "SideBySide", "SideList"]


class Edge(Widget):
    """The line between the two."""


class SideBySide(Horizontal):
    """The two sources. `show` fills them; the owner listens to `Moved`."""

    DEFAULT_CSS = """
    SideBySide { height: 1fr; }
    SideBySide Edge { width: 1; height: 1fr; border-left: vkey $panel; display: none; }
    SideBySide.-both Edge { display: block; }
    SideBySide.-both #left-side { width: 50%; }
    """

    @dataclass
    class Moved(Message):
        """The cursor stands on another line."""

        owner: SideBySide
        side: Which
        line: int | None

        @property
        def control(self) -> SideBySide:
            return self.owner

    def __init__(self, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.left = SideList(self, LEFT, id="left-side")
        self.right = SideList(self, RIGHT, id="right-side")
        self.active: Which = LEFT
        """The side that has, or last had, the focus."""
        self.unfolded = False
        """Every fold is open."""
        self.alone = False
        """One side has all the room, by the user's wish."""
        self.at_once: Callable[[], None] | None = None
        """Called when the cursor has moved: what depends on it is then painted in the same frame."""
        self.chosen: Callable[[], None] | None = None
        """What Enter on a line does, in place of going to the other side."""
        self.note = ""
        """What the owner says at the end of the titles."""
        self._open: set[tuple[Which, int]] = set()
        """Folds that are open by themselves: side and first line."""
        self._sides: tuple[Side, Side] = (NOTHING, NOTHING)
        self._words: list[tuple[Words, ...]] = [(), ()]
        self._links = Links(())
        self._anchors: Mapping[int, int] = {}
        self._version = 0
        self._width = 0
        """Columns when they were last in sight."""
        for part in self.lists:
            part.at_once = self._relight

    def compose(self) -> ComposeResult:
        yield self.left
        yield Edge()
        yield self.right

    # what is shown

    @property
    def lists(self) -> tuple[SideList, SideList]:
        """Left and right."""
        return self.left, self.right

    @property
    def current(self) -> SideList:
        """The side that has, or last had, the focus."""
        return self.lists[self.active]

    @property
    def one(self) -> bool:
        """Only one side is in sight."""
        return self.alone or 0 < (self.size.width or self._width) < NARROW

    def side(self, which: Which) -> Side:
        """What is shown on a side."""
        return self._sides[which]

    def show(
        self,
        left: Side,
        right: Side,
        links: Iterable[tuple[int, int]],
        anchors: Mapping[int, int] | None = None,
        line: int | None = None,
    ) -> None:
        """Show two sources.

        `links` are (line left, line right) that belong together; `anchors`, line right to line left, says
        which should stand in one row where that differs; `line` is where the cursor goes on the left.
        """
        self._sides = (left, right)
        self._links = Links(links)
        if anchors is None:
            anchors = {line: partners[0] for line, partners in self._links.of_right().items()}
        self._anchors = anchors
        self._open.clear()
        self._words = [plain_lines(side.source) for side in self._sides]
        self._version += 1
        self._build((line or 0, 0))
        version = self._version
        self.run_worker(lambda: self._colour(version), thread=True, exclusive=True, group="colour")

    def update_sides(self, left: Side, right: Side) -> None:
        """Other marks and titles on the same sources: the cursor stays."""
        self._sides = (left, right)
        self._build(self._lines())

    def clear(self, empty: str) -> None:
        """Show no source but why there is none."""
        self._sides, self._links = (NOTHING, NOTHING), Links(())
        self._version += 1
        for part in self.lists:
            self._say_empty(part, empty if part is self.left else "")
            part.set_title("")
        self.active = LEFT
        self._display(True, False)

    def _display(self, left: bool, right: bool) -> None:
        self.left.display, self.right.display = left, right
        self.set_class(left and right, "-both")

    def _display_for(self, one: bool) -> None:
        """Show both sides, or the current one only."""
        self._display(not one or self.active == LEFT, not one or self.active == RIGHT)

    @staticmethod
    def _say_empty(part: SideList, text: str) -> None:
        part.empty = text
        part.rows, part.cursor, part.lit = NoRows(), 0, frozenset()
        part.resize_rows()
        part.repaint()

    def _colour(self, version: int) -> None:
        words = [coloured_lines(side.source) for side in self._sides]
        self.app.call_from_thread(self._coloured, version, words)

    def _coloured(self, version: int, words: list[tuple[Words, ...]]) -> None:
        if version != self._version:
            return
        for part, fresh in zip(self.lists, words, strict=True):
            if len(fresh) == len(self._words[part.which]):
                self._words[part.which] = fresh
                if part.code is not None:
                    part.code.words = fresh
                    part.repaint()

    def folded(self, which: Which) -> tuple[Fold, ...]:
        """The folds of a side that are closed."""
        if self.unfolded:
            return ()
        return tuple(f for f in self._sides[which].folds if (which, f.first) not in self._open)

    def _lines(self) -> tuple[int, int]:
        return self.left.line or 0, self.right.line or 0

    def _build(self, lines: tuple[int, int]) -> None:
        """Arrange the rows anew, with the cursors on some lines and the current one where it stood on the screen."""
        sizes = (len(self._words[LEFT]), len(self._words[RIGHT]))
        folds = (self.folded(LEFT), self.folded(RIGHT))
        one = self.one
        self.set_class(one, "-one")
        if self.current.which == RIGHT and self._sides[RIGHT].empty:
            self.active = LEFT
        pairing = (
            None
            if one or any(side.empty for side in self._sides)
            else side_by_side(sizes, self._anchors, folds)
        )
        offset = self.current.cursor - self.current.scroll_offset.y
        self._display_for(one)
        for which, part in enumerate(self.lists):
            which = cast(Which, which)
            if self._sides[which].empty:
                self._say_empty(part, self._sides[which].empty)
                continue
            own = pairing or one_side(which, sizes[which], folds[which])
            rows = SideRows(self._sides[which], which, own, self._words[which])
            rows.shift = part.code.shift if part.code is not None else indent_of(self._words[which])
            part.rows = rows
            part.cursor = own.row_of(which, lines[which])
            part.repaint()
            part.resize_rows()
        self._say_titles()
        self._hold(offset)
        self._relight()

    def _hold(self, offset: int) -> None:
        """Scroll so that the cursor stands as many rows below the top as before."""
        part = self.current
        top = part.cursor - max(0, min(offset, part.page - 1))
        part.scroll_to(y=max(0, top), animate=False, force=True, immediate=True)
        part.reveal(part.cursor)
        self.scrolled(part)

    def on_resize(self) -> None:
        self._width = self.size.width or self._width
        if self.one != self.has_class("-one") and self._sides != (NOTHING, NOTHING):
            self._build(self._lines())
        self.set_class(self.one, "-one")

    # what belongs together

    def say(self, note: str) -> None:
        """Say something else at the end of the titles."""
        if note != self.note:
            self.note = note
            self._say_titles()

    def _say_titles(self) -> None:
        for part in self.lists:
            side = self._sides[part.which]
            notes = [self.note] if self.one or part is self.left else []
            if folded := len(self.folded(part.which)):
                notes.append(f"{count(folded, 'fold')} · U opens")
            if self.one:
                notes.append("x: other side")
            part.set_title(visible(side.title), " · ".join(note for note in notes if note))

    def _relight(self) -> None:
        """Light up what belongs to the line under the cursor, and say where the cursor is."""
        mine = self.current
        rows, line = mine.code, mine.line
        other = self.lists[1 - self.active]
        partners = self._links.partners(self.active, line) if line is not None else ()
        if rows is not None and other.code is not None:
            pairing, side = other.code.pairing, other.which
            found = {pairing.row_of(side, partner) for partner in partners}
            plain = {row for row in found if pairing.fold_at(side, row) is None}
            other.light(frozenset(plain or found))
        mine.light(frozenset())
        if self.at_once is not None:
            self.at_once()
        self.post_message(self.Moved(self, self.active, line))

    def partners(self, line: int, side: Which) -> list[int]:
        """The lines of the other source that belong to a line of this one."""
        return list(self._links.partners(side, line))

    @property
    def own_line(self) -> int | None:
        """The line of the left source under the cursor, or that belongs to the line under it on the right."""
        line = self.current.line
        if line is None or self.active == LEFT:
            return line
        return next(iter(self.partners(line, self.active)), None)

    def activate(self, which: Which) -> None:
        """A side got the focus: its cursor goes to what belongs to the other's line."""
        if which == self.active:
            return
        before, after = self.current, self.lists[which]
        self.active = which
        if before.code is not None and after.code is not None:
            partners = [] if before.line is None else self.partners(before.line, before.which)
            pairing = after.code.pairing
            if partners:
                after.cursor = min(after.lit) if after.lit else pairing.row_of(which, partners[0])
            elif (row := pairing.nearest(which, before.cursor, 1)) is not None and not self.one:
                after.cursor = row
        self._display_for(self.one)
        for part in self.lists:
            part.refresh()
        if self.one:
            offset = max(0, before.cursor - before.scroll_offset.y)
            after.scroll_to(y=max(0, after.cursor - offset), animate=False, force=True, immediate=True)
        else:
            after.reveal(after.cursor)
        self._relight()

    def scrolled(self, part: SideList) -> None:
        """A side has scrolled: the other goes with it."""
        other = self.lists[1 - part.which]
        if not self.has_class("-one") and other.scroll_offset.y != part.scroll_offset.y:
            other.scroll_to(y=part.scroll_offset.y, animate=False, force=True, immediate=True)

    # what the user wants

    def cross(self) -> None:
        """Go to what belongs to the current line on the other side."""
        other = self.lists[1 - self.active]
        if other.code is None:
            return
        self.activate(other.which)
        other.focus()

    def go_to(self, line: int, side: Which = LEFT) -> None:
        """Put the cursor on a line of a side."""
        part = self.lists[side]
        if part.code is not None:
            if side != self.active:
                self.activate(side)
            part.move_to(part.code.pairing.row_of(side, line), by_user=False)
            part.reveal(part.cursor, margin=min(3, part.page // 3))

    def open_fold(self, which: Which, fold: Fold) -> None:
        """Open one fold."""
        self._open.add((which, fold.first))
        self._build(self._lines())

    def uncover(self, line: int, which: Which) -> None:
        """Open the fold that a line is in, if it is in one."""
        fold = next((fold for fold in self.folded(which) if fold.first <= line <= fold.last), None)
        if fold is not None:
            self.open_fold(which, fold)

    def toggle_folds(self) -> bool:
        """Open every fold, or close them again; True when they are open."""
        self.unfolded = not self.unfolded
        self._open.clear()
        self._build(self._lines())
        return self.unfolded

    def toggle_alone(self) -> None:
        """Give the current side all the room, or take it back."""
        self.alone = not self.alone
        self._build(self._lines())

    @property
    def has_folds(self) -> bool:
        """There is something to fold."""
        return any(side.folds for side in self._sides)
