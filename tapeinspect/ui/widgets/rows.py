"""What a list of lines shows, a row at a time."""

from __future__ import annotations

from typing import Protocol

from tapeinspect.ui.palette import Palette
from tapeinspect.ui.widgets.cells import Line


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
