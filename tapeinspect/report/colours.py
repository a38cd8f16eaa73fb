"""Code in colours for a terminal, or plain: cut into cells of a fixed width."""

from __future__ import annotations

from typing import Final

_RESET: Final = "\x1b[0m"
_STYLES: Final = (
    ("Token.Keyword", "\x1b[35m"),
    ("Token.Operator.Word", "\x1b[35m"),
    ("Token.Literal.String", "\x1b[32m"),
    ("Token.Literal.Number", "\x1b[36m"),
    ("Token.Comment", "\x1b[2m"),
    ("Token.Name.Function", "\x1b[34m"),
    ("Token.Name.Decorator", "\x1b[33m"),
    ("Token.Name.Builtin", "\x1b[36m"),
)
_MARKS: Final = {"G": "\x1b[32m", "P": "\x1b[33m", "U": "\x1b[35m", "·": "\x1b[2m",
                "✗": "\x1b[31m", "≠": "\x1b[31m", "±": "\x1b[33m"}  # fmt: skip


class Painter:
    """Paints; with `colour` off everything comes back as it is, control characters made visible."""

    def __init__(self, colour: bool) -> None:
        self._colour = colour

    def bold(self, text: str) -> str:
        """A heading."""
        return self._paint("\x1b[1m", text)

    def dim(self, text: str) -> str:
        """What matters less."""
        return self._paint("\x1b[2m", text)

    def red(self, text: str) -> str:
        """What failed."""
        return self._paint("\x1b[31m", text)

    def plain(self, text: str) -> str:
        """Text as it is, control characters made visible."""
        return visible(text)

    def mark(self, text: str) -> str:
        """The mark of a line."""
        return self._paint(_MARKS.get(text.strip().lstrip("↓")[:1], ""), text) if text.strip() else text

    def cells(self, text: str, width: int) -> list[str]:
        """A line of code as cells of exactly `width` columns; what does not fit goes on in the next."""
        text = visible(text)
        pieces = _tokens(text) if self._colour else [("", text)]
        return _cut(pieces, max(width, 8))

    def _paint(self, style: str, text: str) -> str:
        return f"{style}{visible(text)}{_RESET}" if self._colour and style and text else visible(text)


def visible(text: str) -> str:
    """Text with its control characters made visible: a script's text gives no orders to a terminal."""
    text = text.expandtabs(4)
    return "".join(
        chr(0x2400 + ord(c)) if ord(c) < 32 and c != "\n" else "␡" if 0x7F <= ord(c) < 0xA0 else c
        for c in text
    )


def _tokens(text: str) -> list[tuple[str, str]]:
    """(style, text) of the pieces of one line."""
    from pygments.lexers.python import PythonLexer

    lexer = PythonLexer(stripnl=False, ensurenl=False)
    return [(_style(str(kind)), piece) for kind, piece in lexer.get_tokens(text)]


def _style(kind: str) -> str:
    return next((style for prefix, style in _STYLES if kind.startswith(prefix)), "")


def _cut(pieces: list[tuple[str, str]], width: int) -> list[str]:
    text = "".join(piece for _, piece in pieces)
    cells: list[str] = []
    for start, end in _spans(text, width):
        cell, at = "", 0
        for style, piece in pieces:
            part = piece[max(start - at, 0) : max(end - at, 0)]
            at += len(piece)
            cell += f"{style}{part}{_RESET}" if style and part else part
        cells.append(cell + " " * (width - (end - start)))
    return cells


def _spans(text: str, width: int) -> list[tuple[int, int]]:
    """Where a line is cut: behind a space, a comma or a bracket, if there is one in the last third."""
    spans, start = [], 0
    while len(text) - start > width:
        end = start + width
        good = [i + 1 for i in range(end - width // 3, end) if text[i] in " ,(["]
        end = good[-1] if good else end
        spans.append((start, end))
        start = end
    return [*spans, (start, len(text))]
