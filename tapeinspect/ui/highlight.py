"""Python source as lines of words, each with the kind of word it is. No Textual; Pygments is imported when needed."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, TypeAlias

from tapeinspect.ui.format import visible

Words: TypeAlias = "tuple[tuple[str, str], ...]"
"""The words of a line: text, and the field of the palette that paints it."""


def plain_lines(source: str) -> tuple[Words, ...]:
    """The lines of a source with no colours: what is shown until the colours are there."""
    return tuple(((clean(line), "text"),) for line in source.split("\n"))


def clean(line: str) -> str:
    """A source line with one character for each character: tabs and control characters become visible ones."""
    return line if line.isprintable() else "".join(" " if c == "\t" else visible(c)[:1] or " " for c in line)


@lru_cache(maxsize=16)
def coloured_lines(source: str) -> tuple[Words, ...]:
    """The lines of a Python source with their colours. About 0.1 s for a thousand lines: call it on a thread."""
    from pygments.lexers.python import PythonLexer
    from pygments.token import Token

    kinds = {
        Token.Comment: "comment", Token.Keyword: "keyword", Token.Literal.String: "string",
        Token.Literal.Number: "number", Token.Name.Decorator: "accent", Token.Name.Builtin: "name",
        Token.Name.Function: "strong", Token.Name.Class: "strong", Token.Operator.Word: "keyword",
        Token.Operator: "muted", Token.Punctuation: "muted", Token.Keyword.Constant: "number",
    }  # fmt: skip
    lines: list[list[tuple[str, str]]] = [[]]
    known: dict[Any, str] = {}
    lexer = PythonLexer(stripnl=False, ensurenl=False)
    for token, text in lexer.get_tokens(source):
        kind = known.get(token)
        if kind is None:
            parent = token
            while parent is not None and parent not in kinds:
                parent = parent.parent
            kind = known[token] = kinds[parent] if parent is not None else "text"
        first, *rest = text.split("\n")
        if first:
            _add(lines[-1], clean(first), kind)
        for part in rest:
            lines.append([(clean(part), kind)] if part else [])
    return tuple(tuple(line) for line in lines)


def _add(line: list[tuple[str, str]], text: str, kind: str) -> None:
    """Put a word at the end of a line; blanks and more of the same kind join the word before: less to draw."""
    if line and (line[-1][1] == kind or text.isspace()):
        line[-1] = (line[-1][0] + text, line[-1][1])
    else:
        line.append((text, kind))
