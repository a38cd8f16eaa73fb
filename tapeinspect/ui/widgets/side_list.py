"""One of two sources that stand side by side: its lines, its cursor, and what of it is copied and found."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import BindingType
from textual.selection import Selection

from tapeinspect.ui.widgets.line_list import SIDEWAYS, LineList
from tapeinspect.ui.widgets.pairing import Which
from tapeinspect.ui.widgets.side_rows import SideRows

if TYPE_CHECKING:
    from tapeinspect.ui.widgets.side_by_side import SideBySide


class SideList(LineList):
    """One of the two sources."""

    BINDINGS: ClassVar[list[BindingType]] = SIDEWAYS
    selectable = True

    def __init__(self, owner: SideBySide, which: Which, id: str | None = None) -> None:
        super().__init__(id=id)
        self.owner = owner
        self.which = which
        self.lit: frozenset[int] = frozenset()
        """Rows that belong to the line under the other side's cursor."""

    @property
    def code(self) -> SideRows | None:
        """The rows when there are any."""
        return self.rows if isinstance(self.rows, SideRows) else None

    @property
    def line(self) -> int | None:
        """The line under the cursor, from 0."""
        rows = self.code
        return rows.pairing.line_at(self.which, self.cursor) if rows is not None and len(rows) else None

    def ground_of(self, index: int) -> str:
        state = super().ground_of(index)
        if state != "hover" and self.owner.active != self.which:
            state = ""
        if not state or state == "hover":
            if index in self.lit:
                return "expression"
            rows = self.code
            at = rows.pairing.line_at(self.which, index) if rows is not None else None
            if rows is not None and at is not None and (ground := rows.side.grounds.get(at)):
                return ground
        return state

    def light(self, rows: frozenset[int]) -> None:
        """Light up some rows and no others."""
        changed = rows ^ self.lit
        self.lit = rows
        for row in changed:
            self.refresh_row(row)

    def move_to(self, index: int, by_user: bool = True) -> None:
        rows = self.code
        if rows is None or not len(rows):
            return
        index = max(0, min(index, len(rows) - 1))
        ahead = 1 if index >= self.cursor else -1
        found = rows.pairing.nearest(self.which, index, ahead)
        if found is None:
            found = rows.pairing.nearest(self.which, index, -ahead)
        super().move_to(self.cursor if found is None else found, by_user)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        self.owner.scrolled(self)

    def on_focus(self) -> None:
        super().on_focus()
        self.owner.activate(self.which)

    def action_sideways(self, columns: int) -> None:
        if (rows := self.code) is not None:
            rows.shift = max(0, rows.shift + columns)
            self.repaint()

    def action_choose(self) -> None:
        rows = self.code
        if rows is not None and (fold := rows.pairing.fold_at(self.which, self.cursor)) is not None:
            self.owner.open_fold(self.which, fold)
        elif self.owner.chosen is not None:
            self.owner.chosen()
        else:
            self.owner.cross()

    # text

    def text_of(self, index: int) -> str:
        return rows.text(index).rstrip() if (rows := self.code) is not None else ""

    def find(self, text: str, direction: int = 1, here: bool = False) -> bool:
        """The folded lines are looked at, too: a fold that holds the text is opened."""
        rows, start = self.code, self.line
        if rows is None or start is None:
            return False
        said = {fold.first: fold.text.lower() for fold in self.owner.folded(self.which)}
        lines = len(rows.lower)
        for distance in range(0 if here else 1, lines + 1):
            at = (start + direction * distance) % lines
            if text in rows.lower[at]:
                self.owner.uncover(at, self.which)
                self.move_to(self.code.pairing.row_of(self.which, at) if self.code is not None else 0)
                return True
            if text in said.get(at, ""):
                self.move_to(rows.pairing.row_of(self.which, at))
                return True
        return False

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """The selected code: no gutter, no padding, and what is folded within it in full."""
        rows = self.code
        if rows is None:
            return None
        gutter = rows.gutter_width - rows.shift
        start, end = selection.start, selection.end
        top = 0 if start is None else max(0, start.y - self.head_height)
        last = len(rows) - 1 if end is None else min(len(rows) - 1, end.y - self.head_height)
        parts: list[str] = []
        for index in range(top, last + 1):
            at = rows.pairing.line_at(self.which, index)
            if at is None:
                continue
            if (fold := rows.pairing.fold_at(self.which, index)) is not None:
                parts += [
                    "".join(text for text, _ in rows.words[i]) for i in range(fold.first, fold.last + 1)
                ]
                continue
            text = rows.text(index)
            stop = len(text)
            if end is not None and index == end.y - self.head_height:
                stop = max(0, end.x - gutter)
            begin = 0
            if start is not None and index == start.y - self.head_height:
                begin = max(0, start.x - gutter)
            parts.append(text[begin:stop])
        return "\n".join(parts), "\n"
