"""One of two sources that stand side by side: its rows, gutter and code."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from rich.style import Style

from tapeinspect.ui.format import count
from tapeinspect.ui.highlight import Words
from tapeinspect.ui.palette import Palette
from tapeinspect.ui.widgets.cells import Line, fit, width_of
from tapeinspect.ui.widgets.pairing import Fold, Pairing, Which


@dataclass(frozen=True, slots=True)
class Mark:
    """A short text in the gutter of a line."""

    text: str
    tone: str
    """Field of the palette."""


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two sources. Lines count from 0, whatever number they are shown with."""

    title: str
    source: str
    first: int = 1
    """Number that the first line is shown with."""
    folds: tuple[Fold, ...] = ()
    """Ascending, not overlapping."""
    marks: Mapping[int, Mark] = field(default_factory=dict)
    """What a line became or did."""
    flags: Mapping[int, Mark] = field(default_factory=dict)
    """One character of warning, right before the code."""
    grounds: Mapping[int, str] = field(default_factory=dict)
    """Field of the palette that a line stands on."""
    empty: str = ""
    """What is said in place of a source that there is none of; lines after the first are muted."""


NOTHING: Final = Side("", "")


class SideRows:
    """The rows of one side: gutter and code."""

    def __init__(self, side: Side, which: Which, pairing: Pairing, words: tuple[Words, ...]) -> None:
        self.side = side
        self.which = which
        self.pairing = pairing
        self.words = words
        self.shift = 0
        """Columns of code hidden at the left."""
        self._lower: list[str] | None = None
        self.digits = len(str(side.first + len(words) - 1))
        self.mark_width = max((len(mark.text) for mark in side.marks.values()), default=0)

    def __len__(self) -> int:
        return len(self.pairing)

    @property
    def gutter_width(self) -> int:
        """Columns before the code."""
        marks = self.mark_width + 1 if self.mark_width else 0
        return self.digits + 1 + marks + (1 if self.side.flags else 0)

    def line(self, index: int, width: int, palette: Palette) -> Line:
        at = self.pairing.line_at(self.which, index)
        if at is None:
            return []
        fold = self.pairing.fold_at(self.which, index)
        if fold is not None:
            more = count(fold.last - fold.first + 1, "line")
            inner = "".join(text for text, _ in self.words[next(self._with_text(fold), fold.first)])
            indent = " " * max(0, len(inner) - len(inner.lstrip()) - self.shift)
            return [(" " * self.gutter_width, None), (f"{indent}⋯ {fold.text}  {more}", palette.faint)]
        gutter: Line = [(fit(str(self.side.first + at), self.digits, right=True), palette.faint)]
        if self.mark_width:
            mark = self.side.marks.get(at)
            text = fit(mark.text if mark else "", self.mark_width)
            gutter.append((" " + text, getattr(palette, mark.tone) if mark else None))
        if self.side.flags:
            flag = self.side.flags.get(at)
            gutter.append((flag.text if flag else " ", getattr(palette, flag.tone) if flag else None))
        gutter.append((" ", None))
        code = [(text, getattr(palette, kind)) for text, kind in self.words[at]]
        if (hidden := self.pairing.inline_after(self.which, at)) is not None:
            code.append((f"  ⋯ {hidden.text}", palette.faint))
        return gutter + _window(code, self.shift, width - self.gutter_width, palette.faint)

    def _with_text(self, fold: Fold) -> Iterator[int]:
        """The lines of a fold that are not blank."""
        return (
            at for at in range(fold.first, fold.last + 1) if any(text.strip() for text, _ in self.words[at])
        )

    def text(self, index: int) -> str:
        """The code of a row; "" for padding, the description of a fold."""
        at = self.pairing.line_at(self.which, index)
        if at is None:
            return ""
        fold = self.pairing.fold_at(self.which, index)
        return fold.text if fold is not None else "".join(text for text, _ in self.words[at])

    @property
    def lower(self) -> list[str]:
        """The lines in lower case, for finding."""
        if self._lower is None:
            self._lower = ["".join(text for text, _ in line).lower() for line in self.words]
        return self._lower


def _window(code: Line, shift: int, width: int, edge: Style) -> Line:
    """The part of a line of code that is in sight, with `…` where more follows."""
    shown: Line = []
    for text, style in code:
        if shift < len(text):
            shown.append((text[shift:], style))
        shift = max(0, shift - len(text))
    if width_of(shown) <= width:
        return shown
    room = max(0, width - 1)
    cut: Line = []
    for text, style in shown:
        piece = text if width_of([(text, style)]) <= room else fit(text, room + 1)[:-1]
        cut.append((piece, style))
        room -= width_of([(piece, style)])
        if room <= 0:
            break
    return [*cut, ("…", edge)]


def indent_of(words: tuple[Words, ...]) -> int:
    """Columns of indentation that every line has."""
    found: int | None = None
    for line in words:
        text = "".join(piece for piece, _ in line)
        if text.strip():
            own = len(text) - len(text.lstrip())
            found = own if found is None else min(found, own)
    return found or 0
