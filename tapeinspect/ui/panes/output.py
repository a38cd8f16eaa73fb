"""What the script wrote on its terminal, and a line to type what it asks for."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from rich.color import Color
from rich.style import Style
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.css.query import NoMatches

from tapeinspect.trace.records import ScriptFailure
from tapeinspect.ui.format import basename, visible
from tapeinspect.ui.palette import Palette
from tapeinspect.ui.terminal import PLAIN, Colour, Look, Terminal
from tapeinspect.ui.widgets.cells import Line, wrap
from tapeinspect.ui.widgets.line_list import LineList, TextRows

if TYPE_CHECKING:
    from tapeinspect.ui.subject import Subject


_NODE = re.compile(r"\{\{\w+ [^}]*\}\} ?")
"""What TensorFlow puts before its messages: a name of a node that no user has given."""


@lru_cache(maxsize=1024)
def style_of(look: Look) -> Style | None:
    """A look as Rich paints it; None for plain text."""
    if look == PLAIN:
        return None
    return Style(
        color=_colour(look.fg),
        bgcolor=_colour(look.bg),
        bold=look.bold or None,
        dim=look.dim or None,
        italic=look.italic or None,
        underline=look.underline or None,
        reverse=look.reverse or None,
    )


def _colour(colour: Colour) -> Color | None:
    if colour is None:
        return None
    return Color.from_ansi(colour) if isinstance(colour, int) else Color.from_rgb(*colour)


class TerminalRows:
    """The lines of the script's terminal."""

    def __init__(self, terminal: Terminal) -> None:
        self.terminal = terminal

    def __len__(self) -> int:
        lines = self.terminal.lines
        return len(lines) - (1 if not lines[-1] else 0)

    def line(self, index: int, width: int, palette: Palette) -> Line:
        row = self.terminal.lines[index]
        return [(" ", None), *((text, style_of(look) or palette.text) for text, look in row)]


class TerminalList(LineList):
    """The script's terminal; follows its end until the user scrolls up."""

    has_cursor = False
    selectable = True

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id, title="Output")

    def follow(self, skipped: int) -> None:
        """Take in what the script has written."""
        at_end = self.scroll_offset.y >= self.max_scroll_y - 1
        self._strips.clear()
        self.resize_rows()
        if at_end:
            self.scroll_to(y=self.max_scroll_y, animate=False, force=True, immediate=True)
        self.set_title("Output", f"{skipped:,} bytes skipped" if skipped else "")
        self.refresh()

    def copy_text(self) -> str:
        top = self.scroll_offset.y
        return "\n".join(self.text_of(i) for i in range(top, min(len(self.rows), top + self.page)))

    def text_of(self, index: int) -> str:
        rows = self.rows
        return rows.terminal.text(index).rstrip() if isinstance(rows, TerminalRows) else ""


class ErrorCard(LineList):
    """The exception that ended the script: what, where, and the user's own frames."""

    selectable = True
    DEFAULT_CSS = "ErrorCard { height: auto; max-height: 60%; border-left: outer $error; }"

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id, title="Exception")
        self.failure: ScriptFailure | None = None

    def get_content_height(self, container: object, viewport: object, width: int) -> int:
        return len(self.rows) + 1

    def say(self, failure: ScriptFailure) -> None:
        """Show a failure."""
        self.failure = failure
        self.build()

    def build(self) -> None:
        """Make the lines for the width there is."""
        if self.failure is None:
            return
        lines = error_lines(self.failure, self.palette, max(20, self.inner_width - 3))
        where = f"in batch {self.failure.step}" if self.failure.step is not None else ""
        self.set_title(f"{self.failure.type}", where)
        self.show(TextRows(lines))
        self.refresh(layout=True)

    def on_resize(self) -> None:
        self.build()

    @property
    def title_style(self) -> Style:
        return self.palette.bad + self.palette.title_ground + Style(bold=True)

    def place(self) -> tuple[str, int] | None:
        """The failing line of the user's."""
        failure = self.failure
        if failure is None or failure.file is None or failure.line is None:
            return None
        return failure.file, failure.line

    def copy_text(self) -> str:
        failure = self.failure
        if failure is None:
            return ""
        lines = [f'  File "{f.file}", line {f.line}, in {f.function}\n    {f.code}' for f in failure.frames]
        return "\n".join(["Traceback (most recent call last):", *lines, f"{failure.type}: {failure.message}"])


def error_lines(failure: ScriptFailure, palette: Palette, width: int) -> list[Line]:
    """An exception as lines: its message, then the user's frames with library frames folded."""
    lines: list[Line] = []
    for part in _NODE.sub("", failure.message).split("\n")[:12]:
        lines += [[(" " + piece, palette.text)] for piece in wrap(visible(part), width)]
    folded = 0
    for frame in failure.frames:
        if not frame.user:
            folded += 1
            continue
        if folded:
            lines.append([(f"   … {folded} library frame{'s' if folded > 1 else ''}", palette.faint)])
            folded = 0
        last = (frame.file, frame.line) == (failure.file, failure.line)
        lines.append([(" ▶ " if last else "   ", palette.bad), (visible(frame.function), palette.strong),
                      (f"  {basename(frame.file)}:{frame.line}", palette.muted)])  # fmt: skip
        if frame.code:
            lines.append([("     " + visible(frame.code.strip()), palette.bad if last else palette.text)])
    if folded:
        lines.append([(f"   … {folded} library frame{'s' if folded > 1 else ''}", palette.faint)])
    return lines


class OutputPane(Vertical):
    """The card of an exception, the terminal, and the input line."""

    DEFAULT_CSS = """
    OutputPane { height: 1fr; }
    OutputPane #stdin { height: 1; border: none; padding: 0 1; background: $surface; }
    """

    def __init__(self, subject: Subject, id: str | None = None) -> None:
        super().__init__(id=id)
        self.subject = subject
        self.list = TerminalList(id="terminal")
        self.card = ErrorCard(id="card")
        self.card.display = False

    def compose(self) -> ComposeResult:
        yield self.card
        yield self.list
        if self.subject.target is not None:
            from tapeinspect.ui.widgets.typing_line import TypingLine

            yield TypingLine(
                id="stdin", placeholder="Enter: type to the script · Ctrl+D ends its input", compact=True
            )

    def on_mount(self) -> None:
        self.list.rows = TerminalRows(self.subject.terminal)
        self.list.empty = (
            "The script's output is not part of a recording\nIt went to the terminal that the script ran in"
            if self.subject.recording
            else "The script has not printed anything yet\nIts output and its questions will be here"
        )

    def view(self, step: int | None, at_end: bool = False) -> None:
        """The output is the same for every batch."""
        self.follow()
        if self.subject.exited:
            self.end()

    def grow(self) -> None:
        """Output does not come from the recording."""

    def follow(self) -> None:
        """Show what is new."""
        self.list.follow(self.subject.skipped)

    def end(self) -> None:
        """The script has ended: nothing can be typed any more."""
        try:
            field = self.query_one("#stdin")
        except NoMatches:
            return
        if field.display:
            field.display = False
            if not len(self.list.rows):
                self.list.empty = "The script printed nothing"
                self.list.refresh()

    def fail(self, failure: ScriptFailure) -> None:
        """Show the exception that ended the script."""
        if self.card.failure is not failure:
            self.card.display = True
            self.card.say(failure)

    def on_line_list_chosen(self, event: LineList.Chosen) -> None:
        if event.owner is self.list and self.subject.live:
            self.query_one("#stdin").focus()

    def on_typing_line_ended(self) -> None:
        self.subject.write_input("\x04")

    def on_typing_line_left(self) -> None:
        self.list.focus()

    def on_input_submitted(self, event: object) -> None:
        text = event.value  # type: ignore[attr-defined]
        event.input.value = ""  # type: ignore[attr-defined]
        self.subject.write_input(text + "\n")
        self.list.scroll_end(animate=False)
