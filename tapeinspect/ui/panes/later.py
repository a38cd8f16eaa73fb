"""Tabs whose content comes in a later version: what will be there, and what does the job meanwhile."""

from __future__ import annotations

from typing import Final

from tapeinspect.ui.palette import Palette
from tapeinspect.ui.widgets.cells import Line, wrap
from tapeinspect.ui.widgets.line_list import LineList

_TEXTS: Final = {
    5: (
        "Diff",
        "Where the traced (tf.function) step differs from the eager one: in code, in ops and in the gradients' "
        "numbers, with a verdict for each variable: bit-equal, rounding, real.",
        "It comes in a later version. Meanwhile record the script twice, once with --mode graph, and compare the "
        "gradients of a batch in the two recordings (tab 3).",
    ),
}


class LaterPane(LineList):
    """One of the tabs to come."""

    has_cursor = False

    def __init__(self, tab: int, id: str | None = None) -> None:
        title, self._will, self._meanwhile = _TEXTS[tab]
        super().__init__(id=id, title=title)
        self.rows = self

    def view(self, step: int | None, at_end: bool = False) -> None:
        """The same for every batch."""
        self.resize_rows()

    def grow(self) -> None:
        """Nothing here comes from the recording yet."""

    def __len__(self) -> int:
        return len(self._lines(self.inner_width or 80))

    def _lines(self, width: int) -> list[tuple[str, str]]:
        room = min(76, max(20, width - 6))
        will = [("text", part) for part in wrap(self._will, room)]
        return [("text", ""), *will, ("text", ""), *(("muted", part) for part in wrap(self._meanwhile, room))]

    def line(self, index: int, width: int, palette: Palette) -> Line:
        tone, text = self._lines(width)[index]
        return [("   " + text, getattr(palette, tone))]
