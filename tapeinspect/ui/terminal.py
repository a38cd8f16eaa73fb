"""A small scrolling terminal: turns the bytes of a pty into lines of styled text.

Knows what scripts, progress bars and loggers use: CR, LF, BS, TAB, cursor moves within the last screenful, erasing,
colours and attributes. Leaves out titles, modes and the alternate screen. No Textual in here.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

Colour: TypeAlias = "int | tuple[int, int, int] | None"


@dataclass(frozen=True, slots=True)
class Look:
    """Colours (0 to 255, a red-green-blue triple, None: the terminal's) and attributes of text."""

    fg: Colour = None
    bg: Colour = None
    bold: bool = False
    dim: bool = False
    italic: bool = False
    underline: bool = False
    reverse: bool = False


PLAIN: Final = Look()
Row: TypeAlias = "list[tuple[str, Look]]"

_TOKEN: Final = re.compile(
    r"(?P<text>[^\x00-\x1f\x7f-\x9f]+)"
    r"|\x1b\[(?P<args>[0-?]*)[ -/]*(?P<final>[@-~])"
    r"|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)"
    r"|\x1b[ -/]*[0-OQ-WYZ\\`-~]"
    r"|(?P<control>[\x00-\x1a\x1c-\x1f\x7f-\x9f])"
)
_UNFINISHED: Final = re.compile(r"\x1b(?:\[[0-?]*[ -/]*|[\]PX^_][^\x07\x1b]{0,4096}\x1b?|[ -/]*)?\Z")
_FLAGS: Final = {1: "bold", 2: "dim", 3: "italic", 4: "underline", 7: "reverse"}
_UNFLAGS: Final = {22: ("bold", "dim"), 23: ("italic",), 24: ("underline",), 27: ("reverse",)}


class Terminal:
    """The text a script has written, as the terminal would show it, with a bounded scrollback."""

    def __init__(self, columns: int = 80, rows: int = 24, keep: int = 50_000) -> None:
        self.columns, self.rows, self.keep = columns, rows, keep
        self.lines: list[Row] = [[]]
        self.dropped = 0
        """Lines that have left the scrollback."""
        self.x = self.y = 0
        self.look = PLAIN
        self._saved = (0, 0)
        self._rest = ""
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def resize(self, columns: int, rows: int) -> None:
        """Take another size for what comes; lines that stand are left as they are."""
        self.columns, self.rows = max(2, columns), max(1, rows)

    def text(self, index: int) -> str:
        """A line without its looks."""
        return "".join(text for text, _ in self.lines[index])

    def feed(self, data: bytes) -> None:
        """Show what the script wrote."""
        text = self._rest + self._decoder.decode(data)
        self._rest = ""
        if (open_ended := _UNFINISHED.search(text, max(0, text.rfind("\x1b") - 1))) is not None:
            text, self._rest = text[: open_ended.start()], open_ended.group()
        for token in _TOKEN.finditer(text):
            kind = token.lastgroup
            if kind == "text":
                self._write(token.group())
            elif kind == "control":
                self._control(token.group())
            elif kind == "final":
                self._command(token.group("final"), token.group("args"))
        if len(self.lines) > self.keep + 1000:
            self._trim(len(self.lines) - self.keep)

    def _trim(self, count: int) -> None:
        del self.lines[:count]
        self.dropped += count
        self.y = max(0, self.y - count)

    # text

    def _write(self, text: str) -> None:
        if text.isascii():
            while self.x + len(text) > self.columns:
                room = max(0, self.columns - self.x)
                self._put(text[:room], room)
                text = text[room:]
                self.x = 0
                self._down()
            self._put(text, len(text))
            return
        run, width = "", 0
        for char in text:
            wide = char_width(char)
            if self.x + width + wide > self.columns:
                self._put(run, width)
                run, width, self.x = "", 0, 0
                self._down()
            run += char
            width += wide
        self._put(run, width)

    def _put(self, text: str, width: int) -> None:
        """Write text that fits on the line at the cursor."""
        if not text:
            return
        row = self.lines[self.y]
        length = sum(len(piece) if piece.isascii() else text_width(piece) for piece, _ in row)
        if self.x == 0 and width >= length:
            self.lines[self.y] = [(text, self.look)]
        elif self.x >= length:
            if self.x > length:
                row.append((" " * (self.x - length), PLAIN))
            if row and row[-1][1] == self.look:
                row[-1] = (row[-1][0] + text, self.look)
            else:
                row.append((text, self.look))
        else:
            cells = _cells(row)
            end = self.x + width
            if end < len(cells) and not cells[end][0]:  # half of a wide character stays: a blank in its place
                cells[end] = (" ", PLAIN)
            if not cells[self.x][0]:
                cells[self.x - 1] = (" ", PLAIN)
            cells[self.x : end] = _cells([(text, self.look)])
            self.lines[self.y] = _pieces(cells)
        self.x += width

    def _control(self, char: str) -> None:
        if char == "\n":
            self._down()
        elif char == "\r":
            self.x = 0
        elif char == "\b":
            self.x = max(0, self.x - 1)
        elif char == "\t":
            target = min(self.columns - 1, (self.x // 8 + 1) * 8)
            if target > self.x and self.x >= text_width(self.text(self.y)):
                self._put(" " * (target - self.x), target - self.x)
            self.x = max(self.x, target)

    def _down(self) -> None:
        self.y += 1
        if self.y >= len(self.lines):
            self.lines.append([])

    # commands

    def _command(self, final: str, args: str) -> None:
        if args[:1] in ("?", ">", "<", "="):
            return
        numbers = [int(part) if part.isdigit() else 0 for part in re.split("[;:]", args)] if args else []
        if final == "m":
            self.look = _sgr(self.look, numbers or [0])
        elif (handler := _COMMANDS.get(final)) is not None:
            handler(self, [min(number, 10_000) for number in numbers])

    @property
    def _top(self) -> int:
        return max(0, len(self.lines) - self.rows)

    def _move(self, x: int, y: int) -> None:
        self.x = max(0, min(x, self.columns - 1))
        self.y = max(self._top, min(y, self._top + self.rows - 1))
        while self.y >= len(self.lines):
            self.lines.append([])

    def _erase_line(self, mode: int) -> None:
        cells = _cells(self.lines[self.y])
        if mode == 0:
            cells = cells[: self.x]
        elif mode == 1:
            blank = min(self.x + 1, len(cells))
            cells[:blank] = [(" ", PLAIN)] * blank
        else:
            cells = []
        self.lines[self.y] = _pieces(cells)

    def _erase_screen(self, mode: int) -> None:
        if mode in (2, 3):
            for y in range(self._top, len(self.lines)):
                self.lines[y] = []
        elif mode == 0:
            self._erase_line(0)
            del self.lines[self.y + 1 :]
        elif mode == 1:
            self._erase_line(1)
            for y in range(self._top, self.y):
                self.lines[y] = []

    def _delete_chars(self, count: int) -> None:
        cells = _cells(self.lines[self.y])
        del cells[self.x : self.x + count]
        self.lines[self.y] = _pieces(cells)

    def _blank_chars(self, count: int) -> None:
        cells = _cells(self.lines[self.y])
        count = min(count, max(0, len(cells) - self.x))
        cells[self.x : self.x + count] = [(" ", PLAIN)] * count
        self.lines[self.y] = _pieces(cells)

    def _save(self) -> None:
        self._saved = (self.x, self.y - self._top)

    def _restore(self) -> None:
        self._move(self._saved[0], self._top + self._saved[1])


def _first(numbers: list[int], default: int = 1) -> int:
    return numbers[0] if numbers and numbers[0] else default


_COMMANDS: Final[dict[str, Callable[[Terminal, list[int]], None]]] = {
    "A": lambda t, n: t._move(t.x, t.y - _first(n)),
    "B": lambda t, n: t._move(t.x, t.y + _first(n)),
    "C": lambda t, n: t._move(t.x + _first(n), t.y),
    "D": lambda t, n: t._move(t.x - _first(n), t.y),
    "E": lambda t, n: t._move(0, t.y + _first(n)),
    "F": lambda t, n: t._move(0, t.y - _first(n)),
    "G": lambda t, n: t._move(_first(n) - 1, t.y),
    "d": lambda t, n: t._move(t.x, t._top + _first(n) - 1),
    "H": lambda t, n: t._move(_first(n[1:]) - 1, t._top + _first(n) - 1),
    "f": lambda t, n: t._move(_first(n[1:]) - 1, t._top + _first(n) - 1),
    "J": lambda t, n: t._erase_screen(_first(n, 0)),
    "K": lambda t, n: t._erase_line(_first(n, 0)),
    "P": lambda t, n: t._delete_chars(_first(n)),
    "X": lambda t, n: t._blank_chars(_first(n)),
    "s": lambda t, n: t._save(),
    "u": lambda t, n: t._restore(),
}


def char_width(char: str) -> int:
    """Columns that a character takes: 0, 1 or 2."""
    if unicodedata.combining(char) or char in "\u200b\u200d\ufe0f":
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def text_width(text: str) -> int:
    """Columns that a text takes."""
    return len(text) if text.isascii() else sum(map(char_width, text))


def _cells(row: Row) -> list[tuple[str, Look]]:
    """One entry a column; the second column of a wide character is an empty text."""
    cells: list[tuple[str, Look]] = []
    for text, look in row:
        for char in text:
            width = char_width(char)
            if width == 0 and cells:
                cells[-1] = (cells[-1][0] + char, cells[-1][1])
            elif width:
                cells += [(char, look), ("", look)][:width]
    return cells


def _pieces(cells: list[tuple[str, Look]]) -> Row:
    row: Row = []
    for text, look in cells:
        if row and row[-1][1] == look:
            row[-1] = (row[-1][0] + text, look)
        else:
            row.append((text, look))
    return row


def _sgr(look: Look, numbers: list[int]) -> Look:
    """The look after a "select graphic rendition" command."""
    queue = list(numbers)
    while queue:
        code = queue.pop(0)
        if code == 0:
            look = PLAIN
        elif code in _FLAGS:
            look = replace(look, **{_FLAGS[code]: True})
        elif code in _UNFLAGS:
            look = replace(look, **dict.fromkeys(_UNFLAGS[code], False))
        elif code in (38, 39):
            look = replace(look, fg=_extended(queue) if code == 38 else None)
        elif code in (48, 49):
            look = replace(look, bg=_extended(queue) if code == 48 else None)
        elif 30 <= code <= 37 or 90 <= code <= 97:
            look = replace(look, fg=code - 30 if code < 40 else code - 82)
        elif 40 <= code <= 47 or 100 <= code <= 107:
            look = replace(look, bg=code - 40 if code < 50 else code - 92)
    return look


def _extended(queue: list[int]) -> Colour:
    kind = queue.pop(0) if queue else 0
    if kind == 5 and queue:
        return min(queue.pop(0), 255)
    if kind == 2 and len(queue) >= 3:
        red, green, blue = (min(queue.pop(0), 255) for _ in range(3))
        return red, green, blue
    return None
