"""Everything a user can do with a key: one table for bindings, footer, help, command palette and README.

`python -m tapeinspect.ui.actions` prints it as Markdown.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Group = Literal["Run the script", "Batches", "Look", "Find", "Take away", "tapeinspect"]


@dataclass(frozen=True, slots=True)
class Action:
    """One thing to do. The main screen has a method `action_<name>` for it."""

    id: str
    """Name of the method, with its argument: `next_batch`, `tab(1)`."""
    keys: tuple[str, ...]
    """Textual's names of the keys, the main one first."""
    label: str
    """One or two words, for the footer."""
    tooltip: str
    """A sentence, for help and palette."""
    group: Group
    live: bool = False
    """Needs a running script."""
    footer: int = 0
    """Place in the footer, 0: not there; the highest go first when there is no room."""
    tabs: tuple[int, ...] = ()
    """The tabs where the footer shows it; () for all."""


ACTIONS: Final[tuple[Action, ...]] = (
    Action("next_batch", ("n", "f10"), "batch", "Run the next batch, then pause.", "Run the script", True, 1),
    Action("next_op", ("s", "f11"), "op", "Run the next op, then pause.", "Run the script", True, 2),
    Action("finish_tape", ("o", "shift+f11", "f23"), "end of tape", "Run until the open tape is closed, then pause.",
           "Run the script", True, 10),
    Action("go_on", ("c", "f5"), "continue", "Run until the end, or until you pause.", "Run the script", True, 3),
    Action("pause", ("p", "f6"), "pause", "Pause at the next op.", "Run the script", True, 4),
    Action("restart", ("R",), "restart", "Start the script again with the same arguments, also when it has ended.",
           "Run the script", footer=5),
    Action("older", ("left_square_bracket",), "older", "View the batch before the viewed one.", "Batches", footer=6,
           tabs=(1, 2, 3, 4, 5)),
    Action("newer", ("right_square_bracket",), "newer", "View the batch after the viewed one.", "Batches", footer=7,
           tabs=(1, 2, 3, 4, 5)),
    Action("to_live", ("L",), "live", "View the newest batch, and follow the script again.", "Batches", footer=10,
           tabs=(1, 2, 3, 4, 5)),
    Action("whole_run", ("a",), "all ops", "Show the ops of the whole run, or of the viewed batch only.", "Batches"),
    Action("tab(1)", ("1",), "Trace", "Ops, source and the details of an op.", "Look"),
    Action("tab(2)", ("2",), "Tape", "What each gradient tape recorded, and the way back beside it.", "Look"),
    Action("tab(3)", ("3",), "Gradients", "The gradient of every variable.", "Look"),
    Action("tab(4)", ("4",), "AutoGraph", "Your source beside what AutoGraph makes of it.", "Look"),
    Action("tab(5)", ("5",), "Diff", "Where the traced step differs from the eager one.", "Look"),
    Action("tab(6)", ("6",), "Output", "What the script printed, and where to type what it asks for.", "Look"),
    Action("next_pane", ("tab",), "pane", "Go to the next pane (Shift+Tab: the previous one).", "Look", footer=11,
           tabs=(1, 2, 4, 5)),
    Action("zoom", ("z",), "zoom", "Give the pane the whole screen, or take it back.", "Look", footer=12,
           tabs=(1, 2, 4, 5)),
    Action("xla", ("X",), "XLA", "Compare with the step compiled by XLA, too: outputs, gradients, variables.",
           "Look", True, footer=5, tabs=(5,)),
    Action("grappler", ("O",), "Grappler", "Show which ops Grappler fuses, folds, replaces or removes.",
           "Look", True, footer=5, tabs=(5,)),
    Action("other_side", ("x",), "other side",
           "Go to the counterpart: of a line of source, of an op of the tape; from code to ops to values.", "Look",
           footer=5, tabs=(2, 4, 5)),
    Action("functions", ("F",), "functions", "The functions AutoGraph met, and why some were not converted.", "Look",
           footer=5, tabs=(4, 5)),
    Action("traces", ("T",), "traces", "Every trace of every tf.function, and why it was made.", "Look", footer=5,
           tabs=(4,)),
    Action("next_flagged", ("right_curly_bracket",), "next flagged",
           "Go to the next line that does not survive tracing (AutoGraph).", "Look"),
    Action("previous_flagged", ("left_curly_bracket",), "flag before",
           "Go to the line before that does not survive tracing (AutoGraph).", "Look"),
    Action("fold", ("U",), "unfold", "Show the lines that only AutoGraph needs, or the ops that are plumbing.", "Look",
           footer=5, tabs=(4, 5)),
    Action("as_function", ("M",), "as function", "Show the loop with its body as a function, to paste.",
           "Look"),
    Action("trace_again", ("r",), "run again", "Trace the step, or compare it, with the arguments of the viewed batch.",
           "Look", True, footer=9, tabs=(4, 5)),
    Action("stack_up", ("u",), "caller", "Go up the op's Python stack, to the caller.", "Look", footer=13, tabs=(1,)),
    Action("stack_down", ("d",), "callee", "Go down the op's Python stack, to what was called.", "Look"),
    Action("value", ("v",), "values", "Look at the values of the op's output.", "Look", footer=8, tabs=(1, 2)),
    Action("sort", ("S",), "sort", "Sort by the next column.", "Look", footer=5, tabs=(3,)),
    Action("over_time", ("t",), "over time", "Curves and heat maps of gradients, updates and weights over the batches.",
           "Look", footer=8, tabs=(3,)),
    Action("find", ("slash",), "filter", "Filter the ops, or find text in the other panes.", "Find", footer=5,
           tabs=(1, 2, 3, 4, 5, 6)),
    Action("first_bad", ("N",), "first NaN", "Go to the op that the first NaN or Inf came from, and say how.", "Find",
           footer=9, tabs=(1, 2, 3)),
    Action("why", ("W",), "why", "Say why the gradient is None, or where the batch's NaN came from.", "Find",
           footer=9, tabs=(3,)),
    Action("findings", ("f",), "findings", "List what is wrong with the training: file, line, figures, what to change.",
           "Find", footer=8, tabs=(1, 2, 3)),
    Action("find_next", ("full_stop",), "next", "Go to the next hit.", "Find"),
    Action("find_previous", ("comma",), "previous", "Go to the previous hit.", "Find"),
    Action("clear", ("escape",), "clear", "Clear the filter, leave the zoom.", "Find"),
    Action("copy", ("y",), "copy", "Copy the selected row as text.", "Take away", footer=14),
    Action("copy_json", ("Y",), "copy JSON", "Copy the selected row as JSON.", "Take away"),
    Action("export", ("ctrl+e",), "export", "Write the generated source into a file (AutoGraph).", "Take away"),
    Action("edit", ("e",), "edit", "Open the line in $EDITOR.", "Take away", footer=15),
    Action("interrupt", ("ctrl+c",), "pause or copy", "Copy the selected text; with none selected, pause the script.",
           "Run the script"),
    Action("help", ("question_mark", "f1"), "help", "Every key, and what the screen shows.", "tapeinspect", footer=16),
    Action("palette", ("ctrl+p",), "commands", "Search everything you can do by name.", "tapeinspect"),
    Action("leave", ("q", "ctrl+q"), "quit", "Leave; asks while the script runs.", "tapeinspect", footer=17),
)  # fmt: skip


_KEY_NAMES: Final = {
    "left_square_bracket": "[", "right_square_bracket": "]", "left_curly_bracket": "{",
    "right_curly_bracket": "}", "slash": "/", "full_stop": ".", "comma": ",",
    "question_mark": "?", "escape": "Esc", "tab": "Tab",
}  # fmt: skip


def key_name(key: str) -> str:
    """A key as it stands on the keyboard: `[`, `F10`, `Ctrl+P`."""
    *modifiers, last = key.split("+")
    name = _KEY_NAMES.get(last, last.upper() if len(last) > 1 or modifiers else last)
    return "+".join([*(modifier.capitalize() for modifier in modifiers), name])


def shown_keys(action: Action) -> list[str]:
    """The keys that a person can press for an action; f13 to f24 are what some terminals send for others."""
    return [key_name(key) for key in action.keys if key not in ("f17", "f21", "f23")]


def markdown() -> str:
    """The table of keys for the README."""
    lines = ["| keys | action |", "|---|---|"]
    for action in ACTIONS:
        keys = " ".join(f"`{key}`" for key in shown_keys(action))
        lines.append(f"| {keys} | {action.tooltip}{' Needs a running script.' if action.live else ''} |")
    return "\n".join(lines)


if __name__ == "__main__":
    print(markdown())
