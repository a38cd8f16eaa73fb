"""A list of lines of any length with a cursor: moved by keys and mouse, searched, copied."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Final

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.selection import Selection

from tapeinspect.ui.widgets.cells import Line, plain, width_of
from tapeinspect.ui.widgets.painted_list import PaintedList
from tapeinspect.ui.widgets.rows import NoRows, Rows, TextRows

SIDEWAYS: Final[list[BindingType]] = [
    Binding("left,h", "sideways(-4)", "Left", show=False),
    Binding("right,l", "sideways(4)", "Right", show=False),
]
"""Keys of a list whose rows can be shifted by its `action_sideways`."""


class LineList(PaintedList):
    """A scrolling list with a title, an optional line of column heads, and a cursor."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "Up", show=False),
        Binding("down,j", "move(1)", "Down", show=False),
        Binding("pageup", "page(-1)", "Page up", show=False),
        Binding("pagedown,space", "page(1)", "Page down", show=False),
        Binding("home,g", "jump(0)", "Top", show=False),
        Binding("end,G", "jump(-1)", "Bottom", show=False),
        Binding("enter", "choose", "Open", show=False),
    ]

    @dataclass
    class Moved(Message):
        """The cursor stands on another row."""

        owner: LineList
        index: int
        by_user: bool

        @property
        def control(self) -> LineList:
            return self.owner

    @dataclass
    class Chosen(Message):
        """The user pressed Enter or double-clicked on a row."""

        owner: LineList
        index: int

        @property
        def control(self) -> LineList:
            return self.owner

    @dataclass
    class HeadClicked(Message):
        """The user clicked on the column heads, at column `x`."""

        owner: LineList
        x: int

        @property
        def control(self) -> LineList:
            return self.owner

    def __init__(self, id: str | None = None, title: str = "", classes: str | None = None) -> None:
        super().__init__(id, title, classes)
        self.at_once: Callable[[], None] | None = None
        """Called when the cursor has moved, before the repaint: what depends on it is then painted with it."""

    def show(self, rows: Rows, cursor: int | None = None, by_user: bool = False) -> None:
        """Show other rows; `cursor` is where it stands then, None for where it stood."""
        self.rows = rows
        count = len(rows)
        self.cursor = max(0, min(self.cursor if cursor is None else cursor, count - 1))
        self._strips.clear()
        self.resize_rows()
        if count:
            self.reveal(self.cursor)
            if self.at_once is not None:
                self.at_once()
            self.post_message(self.Moved(self, self.cursor, by_user))
        self.refresh()

    # moving

    def move_to(self, index: int, by_user: bool = True) -> None:
        """Put the cursor on a row and bring it into sight."""
        if not len(self.rows):
            return
        index = max(0, min(index, len(self.rows) - 1))
        if not self.has_cursor:
            self.scroll_to(y=index, animate=False, force=True)
            return
        before, self.cursor = self.cursor, index
        self.refresh_row(before)
        self.refresh_row(index)
        self.reveal(index)
        if before != index:
            if self.at_once is not None:
                self.at_once()
            self.post_message(self.Moved(self, index, by_user))

    def reveal(self, index: int, margin: int = 0) -> None:
        """Scroll as little as needed to see a row; to the middle when it is far."""
        top, page = self.scroll_offset.y, self.page
        if top + margin <= index < top + page - margin:
            return
        if index < top - page or index > top + 2 * page:
            target = index - page // 2
        else:
            target = index - margin if index < top + margin else index - page + 1 + margin
        self.scroll_to(y=max(0, target), animate=False, force=True, immediate=True)

    def action_move(self, rows: int) -> None:
        if self.has_cursor:
            self.move_to(self.cursor + rows)
        else:
            self.scroll_relative(y=rows, animate=False)

    def action_page(self, pages: int) -> None:
        self.action_move(pages * max(1, self.page - 1))

    def action_jump(self, index: int) -> None:
        self.move_to(index if index >= 0 else len(self.rows) - 1)

    def action_choose(self) -> None:
        if len(self.rows):
            self.post_message(self.Chosen(self, self.cursor))

    # mouse

    def _index_at(self, y: int) -> int | None:
        index = self.scroll_offset.y + y - self.head_height
        return index if y >= self.head_height and index < len(self.rows) else None

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        if offset is None:
            return
        if self.has_head and offset.y == self.head_height - 1:
            self.post_message(self.HeadClicked(self, offset.x))
        elif (index := self._index_at(offset.y)) is not None:
            self.move_to(index)
            if event.chain == 2:
                self.action_choose()

    def on_mouse_move(self, event: events.MouseMove) -> None:
        offset = event.get_content_offset(self)
        index = None if offset is None else self._index_at(offset.y)
        self._set_hover(-1 if index is None else index)

    def on_leave(self) -> None:
        self._set_hover(-1)

    def _set_hover(self, index: int) -> None:
        if index != self._hover and self.has_cursor:
            before, self._hover = self._hover, index
            self.refresh_row(before)
            self.refresh_row(index)

    def on_focus(self) -> None:
        self.refresh()

    def on_blur(self) -> None:
        self.refresh()

    def on_resize(self) -> None:
        self.resize_rows()
        if self.has_cursor and len(self.rows):
            self.reveal(self.cursor)

    # text

    def text_of(self, index: int) -> str:
        """A row as text, for copying and finding."""
        return plain(self.rows.line(index, max(200, self.inner_width), self.palette)).rstrip()

    def find(self, text: str, direction: int = 1, here: bool = False) -> bool:
        """Go to the next row that holds a text, given in lower case; False when none does."""
        rows = len(self.rows)
        start = self.cursor if self.has_cursor else self.scroll_offset.y
        for distance in range(0 if here else 1, rows + 1):
            index = (start + direction * distance) % rows
            if text in self.text_of(index).lower():
                self.move_to(index)
                return True
        return False

    def copy_text(self) -> str:
        """What `y` copies: the row under the cursor."""
        return self.text_of(self.cursor) if len(self.rows) else ""

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        top, page = self.scroll_offset.y, self.page
        first, last = max(0, top - page), min(len(self.rows), top + 2 * page)
        blank = [""] * (first + self.head_height)
        lines = [plain(self.rows.line(i, self.inner_width, self.palette)) for i in range(first, last)]
        return selection.extract("\n".join([*blank, *lines])), "\n"


__all__ = ["SIDEWAYS", "Line", "LineList", "NoRows", "Rows", "TextRows", "width_of"]
