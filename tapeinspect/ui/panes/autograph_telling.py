"""What the lines below the AutoGraph tab tell: of a trace, a function, or the line under the cursor."""

from __future__ import annotations

from tapeinspect.trace.records import AutographFunction, FunctionTrace
from tapeinspect.ui.format import visible
from tapeinspect.ui.panes.autograph_lines import function_story, generated_story, line_story, trace_story
from tapeinspect.ui.panes.autograph_lists import Story
from tapeinspect.ui.panes.autograph_page import Page
from tapeinspect.ui.widgets.pairing import LEFT
from tapeinspect.ui.widgets.side_by_side import SideBySide

_MOST = 6
"""Generated lines that are named."""


def tell_trace(story: Story, trace: FunctionTrace | None) -> None:
    """Why a trace was made."""
    if trace is None:
        story.tell("Traces", lambda palette, width: [])
        return
    title = f"{visible(trace.function)}  trace {trace.number}"
    story.tell(title, lambda palette, width: trace_story(trace, palette, width))


def tell_function(story: Story, function: AutographFunction) -> None:
    """What became of a function of the list."""
    story.tell(visible(function.name), lambda p, w: function_story(function, p, w), "Enter shows its code")


def tell_code(story: Story, page: Page | None, code: SideBySide) -> None:
    """What became of the line under the cursor."""
    at = code.current.line
    if page is None:
        story.tell("", lambda p, w: [])
    elif at is None:
        story.tell(visible(page.function.name), lambda p, w: function_story(page.function, p, w))
    elif (line := code.own_line) is None:
        story.tell(f"generated line {at + 1}", lambda p, w: generated_story(page, at, p, w))
    else:
        story.tell(
            f"line {page.number(line)}", lambda p, w: line_story(page, line, p, w), generated(code, line)
        )


def generated(code: SideBySide, line: int) -> str:
    """Which generated lines belong to a line of the user's: `generated 3, 5`."""
    own = code.partners(line, LEFT)
    more = " …" if len(own) > _MOST else ""
    return "generated " + ", ".join(str(at + 1) for at in own[:_MOST]) + more if own else ""
