"""What the lines below the Diff tab tell of the row under the cursor."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tapeinspect.trace.differences import Rewritten
from tapeinspect.ui.format import visible
from tapeinspect.ui.panes.autograph_lines import generated_story
from tapeinspect.ui.panes.autograph_telling import generated, tell_function
from tapeinspect.ui.panes.diff_page import Page
from tapeinspect.ui.panes.diff_rows import ValueRows
from tapeinspect.ui.panes.diff_story import (
    VERDICTS,
    line_story,
    op_story,
    rewritten_story,
    value_story,
    whole_story,
)

if TYPE_CHECKING:
    from tapeinspect.ui.panes.diff import DiffPane


def tell(pane: DiffPane, page: Page) -> None:
    """Tell it."""
    story, values = pane.story, pane.values.rows
    item = pane.item_here()
    if isinstance(item, Rewritten):
        story.tell("Grappler", lambda p, w: rewritten_story(item, p, w))
    elif item is not None:
        story.tell(visible(item.type), lambda p, w: op_story(page, item, p, w), "Enter goes to its line")
    elif pane.values.has_focus and isinstance(values, ValueRows) and len(values):
        value = values.values[pane.values.cursor]
        story.tell(value.kind, lambda p, w: value_story(value, values.xla_of(value), p, w))
    elif pane.functions.has_focus and pane.functions.function is not None:
        tell_function(story, pane.functions.function)
    else:
        _tell_code(pane, page)


def _tell_code(pane: DiffPane, page: Page) -> None:
    story, code, at = pane.story, pane.shown, pane.code.current.line
    line = pane.code.own_line
    if code is None or at is None:
        story.tell(VERDICTS[page.diff.verdict][0], lambda p, w: whole_story(page, p, w))
    elif line is None and code.converted is not None:
        converted = code.converted
        story.tell(f"generated line {at + 1}", lambda p, w: generated_story(converted, at, p, w))
    elif line is not None:
        number = code.first + line
        told = (
            page.mark(code.path, number)
            or page.line(code.path, number)
            or page.called_mark(code.path, number)
        )
        title = f"line {number}" if told else VERDICTS[page.diff.verdict][0]
        story.tell(title, lambda p, w: line_story(page, code, number, p, w), generated(pane.code, line))
