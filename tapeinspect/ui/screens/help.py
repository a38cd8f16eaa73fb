"""Every key, and what the marks on the screen mean."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen

from tapeinspect.ui.actions import ACTIONS, shown_keys
from tapeinspect.ui.palette import Palette
from tapeinspect.ui.widgets.cells import Line, fit, wrap
from tapeinspect.ui.widgets.line_list import LineList, TextRows

if TYPE_CHECKING:
    from tapeinspect.ui.subject import Subject

_MARKS = (
    ("●", "accent", "a gradient tape recorded the op"),
    ("◂", "second", "the op ran in a backward pass"),
    ("!", "bad", "an output holds NaN or Inf"),
    ("▲", "accent", "the batch you view"),
    ("▄", "warn", "a batch that a finding is about, in the timeline; f lists them"),
    ("●", "good", "the batch where the script is (live), in the timeline"),
    ("G3", "good", "AutoGraph: the line makes 3 graph ops"),
    ("P", "second", "AutoGraph: Python that runs only while tracing"),
    ("U4", "warn", "AutoGraph: a loop unrolled into 4 turns"),
    ("·", "faint", "AutoGraph: the line did not run while tracing"),
    ("= ~ ±", "good", "Diff: the same bits, rounding only, other ops"),
    ("≠ P ✗", "bad", "Diff: other values, run only while tracing, does not trace"),
    ("↓≠", "bad", "Diff: so it is in what the line calls; Enter goes there"),
    ("✗ ! i", "warn", "AutoGraph: the line fails, or does something else, when traced"),
)
_MOVES = (
    ("↑ ↓ j k", "move in a pane"), ("PgUp PgDn Space", "a page up, down"), ("g G Home End", "first, last row"),
    ("← → h l", "scroll the source sideways"), ("Enter", "follow: op → details → the op that made an input; "
     "in the source: only the ops of this line; in AutoGraph: the counterpart on the other side"),
)  # fmt: skip


def help_lines(palette: Palette, width: int, live: bool) -> list[Line]:
    """The table of actions by group, then moves and marks."""
    keys_width = 17
    lines: list[Line] = []

    def entry(keys: str, text: str, off: bool = False) -> None:
        first, *rest = wrap(text, max(20, width - keys_width - 3))
        tone = palette.faint if off else palette.text
        lines.append([(" " + fit(keys, keys_width), palette.faint if off else palette.accent), (first, tone)])
        lines.extend([[(" " * (keys_width + 1), None), (part, tone)] for part in rest])

    for group in dict.fromkeys(action.group for action in ACTIONS):
        lines.append([(f" {group}", palette.strong)])
        for action in ACTIONS:
            if action.group == group:
                note = " (needs a running script)" if action.live and not live else ""
                entry(" ".join(shown_keys(action)), action.tooltip + note, bool(note))
        lines.append([])
    lines.append([(" Moving", palette.strong)])
    for keys, text in _MOVES:
        entry(keys, text)
    lines += [[], [(" Marks", palette.strong)]]
    for mark, tone, text in _MARKS:
        lines.append([(" " + fit(mark, keys_width), getattr(palette, tone)), (text, palette.text)])
    return lines


class HelpList(LineList):
    """The text of the help."""

    has_cursor = False


class HelpScreen(ModalScreen[None]):
    """Help over the main screen."""

    DEFAULT_CSS = """
    HelpScreen { align: center middle; background: $background 60%; }
    HelpScreen HelpList { width: 90%; max-width: 92; height: 90%; background: $surface; }
    HelpScreen.-slim HelpList { width: 100%; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark,f1,ctrl+q", "dismiss", "Close", show=False)
    ]

    def __init__(self, subject: Subject) -> None:
        super().__init__()
        self.subject = subject
        self.list = HelpList(id="help", title="Keys")
        self.list.note = "Esc closes"

    def compose(self) -> ComposeResult:
        yield self.list

    def on_mount(self) -> None:
        self.list.focus()

    def on_resize(self) -> None:
        self.call_after_refresh(self._fill)

    def _fill(self) -> None:
        self.list.show(TextRows(help_lines(self.list.palette, self.list.inner_width, self.subject.live)))
