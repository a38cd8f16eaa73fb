"""A list of lines of any length: only what is visible is asked for and drawn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Final, Protocol

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.cache import LRUCache
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.selection import Selection
from textual.strip import Strip

from tapeinspect.ui.palette import Palette, palette_for
from tapeinspect.ui.widgets.cells import Line, fit, plain, strip_of, styled_span, width_of, wrap


class Rows(Protocol):
    """What a list shows. Rows are asked for one by one, only those in sight."""

    def __len__(self) -> int: ...

    def line(self, index: int, width: int, palette: Palette) -> Line:
        """The row as a line; what is longer than `width` is cut."""
        ...


class NoRows:
    """Nothing to show."""

    def __len__(self) -> int:
        return 0

    def line(self, index: int, width: int, palette: Palette) -> Line:
        raise IndexError(index)


class TextRows:
    """Lines that are ready."""

    def __init__(self, lines: list[Line]) -> None:
        self.lines = lines

    def __len__(self) -> int:
        return len(self.lines)

    def line(self, index: int, width: int, palette: Palette) -> Line:
        return self.lines[index]


SIDEWAYS: Final[list[BindingType]] = [
    Binding("left,h", "sideways(-4)", "Left", show=False),
    Binding("right,l", "sideways(4)", "Right", show=False),
]
"""Keys of a list whose rows can be shifted by its `action_sideways`."""


class LineList(ScrollView, can_focus=True):
    """A scrolling list with a title, an optional line of column heads, and a cursor."""

    DEFAULT_CSS = """
    LineList {
        overflow-y: scroll; overflow-x: hidden; scrollbar-size-vertical: 1; scrollbar-gutter: auto;
        scrollbar-background: $background; scrollbar-background-hover: $background;
        scrollbar-background-active: $background; scrollbar-color: $panel; scrollbar-color-hover: $primary 60%;
        scrollbar-color-active: $primary; background: $background; height: 1fr; width: 1fr;
        scrollbar-size-horizontal: 1; scrollbar-corner-color: $background;
    }
    """

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

    has_cursor = True
    has_head = False
    """There is a line of column heads."""
    selectable = False
    """Its text can be selected with the mouse."""

    def __init__(self, id: str | None = None, title: str = "", classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.title = title
        self.note = ""
        """Shown at the right end of the title."""
        self.empty = ""
        """What the list says when it has no rows; lines after the first are muted."""
        self.rows: Rows = NoRows()
        self.cursor = 0
        self._strips: LRUCache[tuple[int, int, str], Strip] = LRUCache(512)
        self._hover = -1
        self._palette: Palette | None = None
        self._base: Style | None = None
        self._painting = False
        self.at_once: Callable[[], None] | None = None
        """Called when the cursor has moved, before the repaint: what depends on it is then painted with it."""

    # what is shown

    @property
    def palette(self) -> Palette:
        """The styles of the current theme."""
        if self._palette is None:
            self._palette = palette_for(self.app.current_theme)
        return self._palette

    def on_mount(self) -> None:
        self.app.theme_changed_signal.subscribe(self, lambda _: self.repaint())

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

    def resize_rows(self) -> None:
        """Take note that the rows have become more or fewer."""
        size = Size(0, len(self.rows) + self.head_height)
        if size != self.virtual_size:
            # where the list stands does not depend on its rows: setting it plainly would lay out the whole screen
            self.set_reactive(LineList.virtual_size, size)
            self.vertical_scrollbar.window_virtual_size = size.height
            self.scroll_y = self.validate_scroll_y(self.scroll_y)

    def set_title(self, title: str, note: str = "") -> None:
        """Change the title line."""
        if (title, note) != (self.title, self.note):
            self.title, self.note = title, note
            self.refresh()

    def repaint(self) -> None:
        """Draw every row anew: the theme or what the rows say has changed."""
        self._palette = self._base = None
        self._strips.clear()
        self.refresh()

    @property
    def inner_width(self) -> int:
        """Columns for the rows: the scrollbar is beside them."""
        return max(0, self.size.width - 1)

    @property
    def base(self) -> Style:
        """The list's own colours, kept because working them out for each line takes longer than drawing it."""
        if self._base is None:
            self._base = self.rich_style
        return self._base

    @property
    def head_height(self) -> int:
        """Lines above the rows that do not scroll."""
        return bool(self.title) + self.has_head

    # drawing

    def render_lines(self, crop: Region) -> list[Strip]:
        self._painting = True
        try:
            if any(self.styles.gutter):
                return super().render_lines(crop)
            return self._strips_of(crop)
        finally:
            self._painting = False

    def _strips_of(self, crop: Region) -> list[Strip]:
        """What `Widget.render_lines` gives where CSS adds nothing to the rows, as the very strips that were painted
        before: a strip keeps what the terminal is sent for it, and Textual would make a new one of each."""
        width, (below, background) = self.size.width, self.background_colors
        beside = Style(bgcolor=(below + background).rich_color)
        strips = [self._line(y).adjust_cell_length(width, beside) for y in crop.line_range]
        for line_filter in self.get_line_filters():
            strips = [strip.apply_filter(line_filter, background) for strip in strips]
        if crop.column_span != (0, width):
            strips = [strip.crop(*crop.column_span) for strip in strips]
        return strips

    def render_line(self, y: int) -> Strip:
        strip = self._line(y)
        index = self.scroll_offset.y + y - self.head_height
        if self._painting or not self.selectable or not 0 <= index < len(self.rows) or y < self.head_height:
            return strip
        # Textual asks where in the text the mouse is. To paint with the answer in every word would take twice as
        # long: each word then has a style of its own, which nothing keeps
        return strip.apply_offsets(self.scroll_offset.x, y + self.scroll_offset.y)

    def _line(self, y: int) -> Strip:
        width = self.inner_width
        top = self.head_height
        if y < top:
            head = self._title(width) if y == 0 and self.title else self._head(width)
            return head.apply_style(self.base)
        if not len(self.rows):
            return self._nothing(y - top, width).apply_style(self.base)
        index = self.scroll_offset.y + y - top
        if index >= len(self.rows):
            return Strip.blank(width, self.base)
        return self._row(index, width)

    def _title(self, width: int) -> Strip:
        style = self.title_style
        note = f" {fit(self.note, min(len(self.note), max(0, width - 8)))} " if self.note else ""
        mark = "▎" if self.has_focus else " "
        return strip_of([(mark + fit(self.title, width - len(note) - 1), style), (note, self.palette.title)])

    @property
    def title_style(self) -> Style:
        """How the title is painted."""
        return self.palette.focused_title if self.has_focus else self.palette.title

    def _head(self, width: int) -> Strip:
        return strip_of(self.head_line(width)).crop(0, width)

    def head_line(self, width: int) -> Line:
        """The heads of the columns."""
        return []

    def _nothing(self, y: int, width: int) -> Strip:
        lines = [
            (part, i == 0)
            for i, text in enumerate(self.empty.split("\n"))
            for part in wrap(text, max(10, width - 4))
        ]
        top = max(0, (self.size.height - self.head_height - len(lines)) // 2 - 1)
        if not 0 <= y - top < len(lines):
            return Strip.blank(width)
        text, first = lines[y - top]
        pad = max(0, (width - len(text)) // 2)
        return strip_of([(" " * pad, None), (text, self.palette.text if first else self.palette.muted)])

    def _row(self, index: int, width: int) -> Strip:
        state = self.ground_of(index)
        selection = self.text_selection
        key = (index, width, state)
        if selection is None and (strip := self._strips.get(key)) is not None:
            return strip
        line = self.rows.line(index, width, self.palette)
        if selection and (span := selection.get_span(index + self.head_height)):
            start, end = span
            line = styled_span(line, start, len(plain(line)) if end == -1 else end, self.palette.selection)
        background: Style | None = getattr(self.palette, state) if state else None
        strip = self._finished(line, width, background)
        if selection is None:
            self._strips[key] = strip
        return strip

    def ground_of(self, index: int) -> str:
        """The field of the palette that a row stands on; "" for the list's own ground."""
        if self.has_cursor and index == self.cursor:
            return "cursor" if self.has_focus else "dim_cursor"
        return "hover" if index == self._hover else ""

    def _finished(self, line: Line, width: int, background: Style | None) -> Strip:
        """The row with the list's and the cursor's ground below its own styles, as wide as the list."""
        ground = self.base
        if background is not None:
            if background.reverse:  # with the sixteen colours: each piece would get a ground of its own
                line = [(plain(line), None)]
            ground = ground + background
        segments = [
            Segment(text, ground + style if style is not None else ground) for text, style in line if text
        ]
        length = width_of(line)
        if length < width:
            segments.append(Segment(" " * (width - length), ground))
        strip = Strip(segments, max(length, width))
        if length <= width:
            return strip
        if cell_len(plain(line).rstrip()) <= width:
            return strip.crop(0, width)
        edge = Segment("…", ground if ground.reverse else ground + self.palette.faint)
        return Strip([*strip.crop(0, width - 1), edge], width) if width > 0 else Strip([])

    def refresh_row(self, index: int) -> None:
        """Draw one row anew."""
        y = index - self.scroll_offset.y + self.head_height
        if self.head_height <= y < self.size.height:
            self.refresh(Region(0, y, self.size.width, 1))

    # moving

    @property
    def page(self) -> int:
        """Rows in sight."""
        return max(1, self.size.height - self.head_height)

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

    def selection_updated(self, selection: Selection | None) -> None:
        self._strips.clear()
        self.refresh()


__all__ = ["SIDEWAYS", "Line", "LineList", "NoRows", "Rows", "TextRows", "width_of"]
