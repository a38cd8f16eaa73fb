"""The AutoGraph tab in words: a line, a function, a failed trace, a trace. Pure functions that make lines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.style import Style

from tapeinspect.trace.records import (
    AutographConstruct,
    AutographFailure,
    AutographFunction,
    AutographMark,
    AutographRun,
    Finding,
    FunctionTrace,
    ScriptFailure,
)
from tapeinspect.ui.format import basename, count, took, visible
from tapeinspect.ui.palette import Palette
from tapeinspect.ui.panes.autograph_page import FLAGS, FOLD_STORIES, MARK_TONES
from tapeinspect.ui.panes.output import error_lines
from tapeinspect.ui.widgets.cells import Line, wrap

if TYPE_CHECKING:
    from tapeinspect.ui.panes.autograph_page import Page

_KINDS: Final = {
    "function": "function", "method": "method", "lambda": "lambda", "object": "object that can be called",
    "class": "class", "builtin": "builtin", "generator": "generator", "tf.function": "tf.function",
}  # fmt: skip


class Paragraphs:
    """Lines of text broken to a width."""

    def __init__(self, palette: Palette, width: int) -> None:
        self.palette = palette
        self.width = max(20, width)
        self.lines: list[Line] = []

    def say(self, text: str, tone: Style | None, head: Line | None = None, indent: int = 0) -> None:
        """A paragraph behind a head; further lines stand below its text."""
        head = head or []
        pad = " " * (1 + indent)
        start = sum(len(piece) for piece, _ in head)
        for i, part in enumerate(wrap(text, max(16, self.width - len(pad) - start - 1))):
            lead: Line = [(pad, None), *head] if i == 0 else [(pad + " " * start, None)]
            self.lines.append([*lead, (part, tone)])


def line_story(page: Page, line: int, palette: Palette, width: int) -> list[Line]:
    """What became of one line (from 0) of the user's source."""
    number = page.number(line)
    made = Paragraphs(palette, width)
    told = any(finding.severity == "error" for finding in page.findings.get(number, ()))
    if page.failure is not None and page.failure.line == number and not told:
        why = page.failure.explanation or f"{page.failure.type}: {page.failure.message}"
        made.say(f"Tracing fails here. {visible(why)}", palette.text, [("✗ ", palette.bad)])
    for finding in page.findings.get(number, ()):
        _finding(made, finding)
    mark = page.marks.get(number)
    if mark is not None:
        tone = getattr(palette, MARK_TONES[mark.mark])
        made.say(mark_in_words(mark), palette.text, [(f"{mark.mark} ", tone)])
    elif page.run.status == "converted":
        made.say("It was converted but not traced, so how it runs is not known.", palette.muted)
    for construct in page.constructs.get(number, ()):
        say_construct(made, construct)
    if made.lines:
        return made.lines
    code = page.left.source.split("\n")[line].strip()
    if code.startswith(("def ", "async def ", "@", "class ")) and number <= (page.shown.line or 1) + 20:
        return function_story(page.shown, palette, width, page.run)
    text = "No statement begins on this line."
    made.say(text if code else "A blank line.", palette.muted)
    return made.lines


def generated_story(page: Page, line: int, palette: Palette, width: int) -> list[Line]:
    """What a generated line (from 0) is for when no line of the user's belongs to it."""
    fold = page.fold_of(line)
    made = Paragraphs(palette, width)
    text = "Only AutoGraph needs this line."
    made.say(FOLD_STORIES.get(fold.what, text) if fold is not None else text, palette.muted)
    return made.lines


def mark_in_words(mark: AutographMark) -> str:
    """The gutter's mark as a sentence."""
    if mark.mark == "G":
        often = f", and ran {count(mark.count, 'time')} while tracing" if mark.count > 1 else ""
        return f"It makes {count(mark.ops, 'graph op')}{often}."
    if mark.mark == "U":
        ops = f", {count(mark.ops, 'graph op')} by this line" if mark.ops else ""
        return f"A loop that was unrolled: the graph holds its body {count(mark.count, 'time')}{ops}."
    if mark.mark == "P":
        often = f" ({count(mark.count, 'time')})" if mark.count > 1 else ""
        return f"Python that runs only while tracing{often}: nothing of it is in the graph."
    return "It did not run while tracing."


def say_construct(made: Paragraphs, construct: AutographConstruct) -> None:
    """What a construct of the source became."""
    palette = made.palette
    became = construct.became
    tone = palette.faint if became == "not_run" else palette.second if became == "python" else palette.good
    word = {"python": "Python", "not_run": "not run"}.get(became, became)
    head: Line = [
        (visible(construct.construct), palette.keyword),
        (" → ", palette.faint),
        (visible(word) + "  ", tone),
    ]
    made.say(visible(construct.text), palette.text, head)
    if construct.branches:
        taken = " · ".join(f"{name} {count(times, 'time')}" for name, times in construct.branches)
        made.say(taken, palette.text, [("branches taken: ", palette.muted)], indent=2)
    for variable in construct.variables:
        text = visible(variable.text)
        if variable.invariant:
            text += f"  shape invariant {visible(variable.invariant)}"
        made.say(text, palette.text, [(visible(variable.name) + "  ", palette.name)], indent=2)


def _finding(made: Paragraphs, finding: Finding) -> None:
    palette, flag = made.palette, FLAGS[finding.severity]
    tone = getattr(palette, flag.tone)
    made.say(visible(finding.message), palette.text, [(flag.text + " ", tone)])
    if finding.hint:
        made.say(visible(finding.hint), palette.good, [("→ ", palette.good)], indent=2)


def function_story(
    function: AutographFunction, palette: Palette, width: int, run: AutographRun | None = None
) -> list[Line]:
    """One function of the list, its reason in full; of the run's own what is to be known of that, too."""
    made = Paragraphs(palette, width)
    if function.status == "converted":
        lines = function.generated.rstrip("\n").count("\n") + 1 if function.generated else 0
        text = (
            f"Converted: {count(lines, 'generated line')}"
            if lines
            else "Converted with the function around it"
        )
        made.say(
            f"{text}, called {count(function.calls, 'time')} while tracing.",
            palette.text,
            [("✓ ", palette.good)],
        )
    else:
        failed = function.status == "failed"
        head: Line = [("✗ ", palette.bad)] if failed else [("– ", palette.muted)]
        text = "AutoGraph tried and could not convert it: " if failed else "Not converted: "
        made.say(text + visible(function.reason), palette.text, head)
    where = (
        f"{_KINDS[function.kind]} of {visible(function.module)}" if function.module else _KINDS[function.kind]
    )
    if function.call_path and function.call_line:
        where += f" · called at {basename(function.call_path)}:{function.call_line}"
    made.say(where, palette.muted)
    if run is not None and run.note and (run.function, run.line) == (function.name, function.line):
        made.say(visible(run.note), palette.muted, [("note: ", palette.faint)])
    return made.lines


def failure_lines(failure: AutographFailure, palette: Palette, width: int) -> list[Line]:
    """A failed trace: what it means, TensorFlow's own words, the user's frames, and what to change."""
    made = Paragraphs(palette, width)
    if failure.explanation:
        made.say(visible(failure.explanation), palette.strong)
    if failure.hint:
        made.say(visible(failure.hint), palette.good, [("→ ", palette.good)])
    as_error = ScriptFailure(failure.run, failure.type, failure.message, failure.path, failure.line, None,
                             failure.frames)  # fmt: skip
    return made.lines + error_lines(as_error, palette, made.width)


def trace_story(trace: FunctionTrace, palette: Palette, width: int) -> list[Line]:
    """One trace: why it was made, what would have saved it, and what it was called with."""
    made = Paragraphs(palette, width)
    made.say(visible(trace.why) or "The first trace.", palette.text, [("why  ", palette.muted)])
    if trace.advice:
        made.say(visible(trace.advice), palette.good, [("→ ", palette.good)])
        checked = visible(trace.checked) if trace.checked else "Not tried: that would run your code."
        made.say(checked, palette.muted, indent=2)
    if trace.caller_path and trace.caller_line:
        made.say(
            f"{basename(trace.caller_path)}:{trace.caller_line}",
            palette.text,
            [("called at  ", palette.muted)],
        )
    for name, text in trace.arguments:
        made.say(visible(text), palette.text, [(visible(name) + "  ", palette.name)], indent=2)
    return made.lines


def trace_time(trace: FunctionTrace) -> str:
    """How long a trace took: `85 ms`."""
    return took(trace.seconds * 1e9) if trace.seconds is not None else ""
