"""Two texts side by side: which lines stand in one row, and which are folded away. No Textual."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

Which: TypeAlias = Literal[0, 1]
"""The side: 0 left, 1 right."""
LEFT: Final = 0
RIGHT: Final = 1
PADDING: Final = -1


@dataclass(frozen=True, slots=True)
class Fold:
    """Lines that are shown as one row while they are folded. Lines count from 0."""

    first: int
    last: int
    text: str
    """What stands in their place."""
    inline: bool = False
    """It takes no row of its own but stands at the end of the line before it."""


class Links:
    """Which lines of the two texts belong together: any number of one to any number of the other."""

    def __init__(self, pairs: Iterable[tuple[int, int]]) -> None:
        """`pairs` are (line of the left text, line of the right text)."""
        self._to: tuple[dict[int, list[int]], dict[int, list[int]]] = ({}, {})
        for left, right in sorted(set(pairs)):
            self._to[0].setdefault(left, []).append(right)
            self._to[1].setdefault(right, []).append(left)

    def partners(self, side: Which, line: int) -> Sequence[int]:
        """The lines of the other text that belong to a line of this one, ascending."""
        return self._to[side].get(line, ())

    def of_right(self) -> Mapping[int, Sequence[int]]:
        """For each line of the right text the lines of the left one."""
        return self._to[1]


class Pairing:
    """Rows of two texts. A cell is a line (from 0), PADDING, or -2 - n for the n-th fold of its side."""

    def __init__(self, cells: tuple[Sequence[int], Sequence[int]], folds: tuple[Sequence[Fold], ...]) -> None:
        self.cells = cells
        self._folds = folds
        self._firsts: list[list[int]] = []
        """For each side the first line of every row that has one, ascending."""
        self._rows: list[list[int]] = []
        for side in (LEFT, RIGHT):
            rows = [row for row, cell in enumerate(cells[side]) if cell != PADDING]
            self._rows.append(rows)
            self._firsts.append([self._first(side, cells[side][row]) for row in rows])
        self._inline = [{fold.first - 1: fold for fold in own if fold.inline} for own in folds]

    def __len__(self) -> int:
        return len(self.cells[0])

    def _first(self, side: int, cell: int) -> int:
        return cell if cell >= 0 else self._folds[side][-2 - cell].first

    def fold_at(self, side: Which, row: int) -> Fold | None:
        """The fold that stands in a row."""
        cell = self.cells[side][row]
        return self._folds[side][-2 - cell] if cell < PADDING else None

    def inline_after(self, side: Which, line: int) -> Fold | None:
        """The fold that stands at the end of a line."""
        return self._inline[side].get(line)

    def line_at(self, side: Which, row: int) -> int | None:
        """The line in a row, the first of a fold; None for padding."""
        cell = self.cells[side][row]
        return None if cell == PADDING else self._first(side, cell)

    def row_of(self, side: Which, line: int) -> int:
        """The row of a line, of the fold it is in, or of the line before it; 0 when there is none."""
        at = bisect_right(self._firsts[side], line) - 1
        return self._rows[side][max(0, at)] if self._rows[side] else 0

    def nearest(self, side: Which, row: int, direction: int) -> int | None:
        """The row at or after `row` (`direction` 1) or at or before it (-1) that is no padding on a side."""
        rows = self._rows[side]
        at = bisect_left(rows, row) if direction > 0 else bisect_right(rows, row) - 1
        return rows[at] if 0 <= at < len(rows) else None


def side_by_side(
    sizes: tuple[int, int], anchors: Mapping[int, int], folds: tuple[Sequence[Fold], Sequence[Fold]]
) -> Pairing:
    """Rows in which lines that belong together stand beside each other as far as their order allows.

    `sizes`: lines of each text; `anchors`: line of the right text to the line of the left one it should stand
    beside; `folds` must not overlap and be ascending.
    """
    left, right = (_items(sizes[side], folds[side]) for side in (LEFT, RIGHT))
    place = {cell: i for i, cell in enumerate(left) if cell >= 0}
    wanted = [place.get(anchors.get(cell, PADDING), -1) if cell >= 0 else -1 for cell in right]
    rows: tuple[list[int], list[int]] = ([], [])
    at = [0, 0]
    for i, j in [*_longest_rise(wanted), (len(left), len(right))]:
        gap = max(i - at[0], j - at[1])
        for side, items, end in ((0, left, i), (1, right, j)):
            rows[side].extend(items[at[side] : end])
            rows[side].extend([PADDING] * (gap - (end - at[side])))
        if i < len(left):
            rows[0].append(left[i])
            rows[1].append(right[j])
        at = [i + 1, j + 1]
    return Pairing(rows, folds)


def one_side(side: Which, size: int, folds: Sequence[Fold]) -> Pairing:
    """Rows of one of the two texts alone."""
    items = _items(size, folds)
    blank = [PADDING] * len(items)
    return Pairing((items, blank) if side == LEFT else (blank, items), (folds, folds))


def _items(size: int, folds: Sequence[Fold]) -> list[int]:
    """The cells of a text from top to bottom."""
    items: list[int] = []
    line = 0
    for number, fold in enumerate(folds):
        items.extend(range(line, fold.first))
        if not fold.inline:
            items.append(-2 - number)
        line = fold.last + 1
    items.extend(range(line, size))
    return items


def _longest_rise(wanted: Sequence[int]) -> list[tuple[int, int]]:
    """The longest chain of (value, index) with both strictly ascending; -1 stands for no value."""
    tails: list[int] = []
    at: list[int] = []
    before: dict[int, int | None] = {}
    for index, value in enumerate(wanted):
        if value < 0:
            continue
        length = bisect_left(tails, value)
        if length < len(tails) and tails[length] == value:
            continue  # the earlier of two equals stays: what belongs to a line then follows below it
        before[index] = at[length - 1] if length else None
        tails[length : length + 1] = [value]
        at[length : length + 1] = [index]
    chain: list[tuple[int, int]] = []
    index_or_none = at[-1] if at else None
    while index_or_none is not None:
        chain.append((wanted[index_or_none], index_or_none))
        index_or_none = before[index_or_none]
    return chain[::-1]
