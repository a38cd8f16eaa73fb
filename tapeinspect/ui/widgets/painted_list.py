"""A list of lines of any length, as it is painted: only what is visible is asked for and drawn."""

from __future__ import annotations

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.cache import LRUCache
from textual.geometry import Region, Size
from textual.scroll_view import ScrollView
from textual.selection import Selection
from textual.strip import Strip

from tapeinspect.ui.palette import Palette, palette_for
from tapeinspect.ui.widgets.cells import Line, fit, plain, strip_of, styled_span, width_of, wrap
from tapeinspect.ui.widgets.rows import NoRows, Rows


class PaintedList(ScrollView, can_focus=True):
    """Title, column heads, rows and the ground that a row stands on; what is painted is kept."""

    DEFAULT_CSS = """
    PaintedList {
        overflow-y: scroll; overflow-x: hidden; scrollbar-size-vertical: 1; scrollbar-gutter: auto;
        scrollbar-background: $background; scrollbar-background-hover: $background;
        scrollbar-background-active: $background; scrollbar-color: $panel; scrollbar-color-hover: $primary 60%;
        scrollbar-color-active: $primary; background: $background; height: 1fr; width: 1fr;
        scrollbar-size-horizontal: 1; scrollbar-corner-color: $background;
    }
    """

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

    # what is shown

    @property
    def palette(self) -> Palette:
        """The styles of the current theme."""
        if self._palette is None:
            self._palette = palette_for(self.app.current_theme)
        return self._palette

    def on_mount(self) -> None:
        self.app.theme_changed_signal.subscribe(self, lambda _: self.repaint())

    def resize_rows(self) -> None:
        """Take note that the rows have become more or fewer."""
        size = Size(0, len(self.rows) + self.head_height)
        if size != self.virtual_size:
            # where the list stands does not depend on its rows: setting it plainly would lay out the whole screen
            self.set_reactive(PaintedList.virtual_size, size)
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

    @property
    def page(self) -> int:
        """Rows in sight."""
        return max(1, self.size.height - self.head_height)

    def selection_updated(self, selection: Selection | None) -> None:
        self._strips.clear()
        self.refresh()
