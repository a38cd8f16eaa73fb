"""Text cut and padded to columns of the terminal, and lines made of styled pieces."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import TypeAlias

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

Piece: TypeAlias = "tuple[str, Style | None]"
Line: TypeAlias = "list[Piece]"
"""One line of the screen: pieces of text (one line, no control characters), each with a style."""


def fit(text: str, width: int, right: bool = False) -> str:
    """The text in exactly `width` columns: padded, or cut with `…`."""
    if width <= 0:
        return ""
    length = len(text) if text.isascii() else cell_len(text)
    if length == width:
        return text
    if length < width:
        return " " * (width - length) + text if right else text + " " * (width - length)
    return set_cell_size(text, width - 1) + "…"


def fit_start(text: str, width: int) -> str:
    """The text in exactly `width` columns, cut at its start: for paths, whose end matters."""
    length = cell_len(text)
    if length <= width:
        return text + " " * (width - length)
    kept = text
    while kept and cell_len(kept) > width - 1:
        kept = kept[1:]
    return fit("…" + kept, width) if width > 0 else ""


def width_of(line: Iterable[Piece]) -> int:
    """Columns that a line takes."""
    return sum(len(text) if text.isascii() else cell_len(text) for text, _ in line)


def plain(line: Iterable[Piece]) -> str:
    """The text of a line."""
    return "".join(text for text, _ in line)


def strip_of(line: Sequence[Piece]) -> Strip:
    """A line as Textual draws it."""
    return Strip([Segment(text, style) for text, style in line if text])


def wrap(text: str, width: int) -> list[str]:
    """The text broken at spaces into lines of at most `width` columns; a longer word is cut."""
    lines: list[str] = []
    for paragraph in text.split("\n"):
        current = ""
        for word in paragraph.split(" "):
            while cell_len(word) > width > 0:
                if current:
                    lines.append(current)
                    current = ""
                head = set_cell_size(word, width).rstrip()
                lines.append(head)
                word = word[len(head) :]
            joined = f"{current} {word}" if current else word
            if cell_len(joined) > width and current:
                lines.append(current)
                current = word
            else:
                current = joined
        lines.append(current)
    return lines


def styled_span(line: Sequence[Piece], start: int, end: int, style: Style) -> Line:
    """The line with the characters from `start` to `end` restyled on top of what they have."""
    result: Line = []
    at = 0
    for text, own in line:
        stop = at + len(text)
        cuts = [at, *sorted(cut for cut in {start, end} if at < cut < stop), stop]
        for left, right in pairwise(cuts):
            inside = start <= left and right <= end
            piece = text[left - at : right - at]
            result.append((piece, (own + style if own else style) if inside else own))
        at = stop
    return result
