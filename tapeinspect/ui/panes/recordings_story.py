"""Two recordings held against each other in words: the run, a line, a pair of ops, a value."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tapeinspect.analysis.diff_marks import Place
from tapeinspect.analysis.recordings.code import MARKS
from tapeinspect.analysis.recordings.records import OpPair
from tapeinspect.trace.records import OpRow
from tapeinspect.ui.format import basename, count, visible
from tapeinspect.ui.palette import Palette
from tapeinspect.ui.panes.autograph_lines import Paragraphs
from tapeinspect.ui.panes.diff_code import MARK_TONES
from tapeinspect.ui.panes.recordings_page import Page
from tapeinspect.ui.panes.recordings_rows import (
    TONES,
    WORDS,
    PairRows,
    Value,
    ValueRows,
    figures,
    in_elements,
    in_words,
)
from tapeinspect.ui.widgets.cells import Line

if TYPE_CHECKING:
    from tapeinspect.ui.panes.recordings import RecordingsPane


def tell(pane: RecordingsPane, page: Page) -> None:
    """Tell the story of the row under the cursor of the focused list."""
    ops, values, story = pane.ops.rows, pane.values.rows, pane.story
    if pane.ops.has_focus and isinstance(ops, PairRows) and len(ops):
        pair = ops.pairs[pane.ops.cursor]
        story.tell(visible(pair.any.type), lambda p, w: pair_story(pair, p, w), "Enter goes to its line")
    elif pane.values.has_focus and isinstance(values, ValueRows) and len(values):
        value = values.values[pane.values.cursor]
        story.tell(value.kind, lambda p, w: value_story(pane, value, p, w))
    else:
        place, which = pane.place(), pane.code.active
        if place is not None and page.marks[which].get(place):
            story.tell(f"line {place[1]}", lambda p, w: line_story(page, place, which, p, w))
        else:
            story.tell(pane.titled(), lambda p, w: whole_story(pane, p, w))


def whole_story(pane: RecordingsPane, palette: Palette, width: int) -> list[Line]:
    """What is not the same around the two runs, and where they part first."""
    made = Paragraphs(palette, width)
    scanned = pane.scanned >= pane.steps
    for what, batch in (
        ("ops", pane.firsts.ops),
        ("values", pane.firsts.values),
        ("gradients", pane.firsts.gradients),
    ):
        text = f"batch {batch}" if batch is not None else "none" if scanned else "none so far"
        tone = palette.bad if batch is not None else palette.good
        made.say(text, tone, [(f"first difference in {what}  ", palette.muted)])
    for what, first, second in pane.facts:
        made.say(f"{visible(first)} | {visible(second)}", palette.text, [(f"{what}  ", palette.muted)])
    for path, changed in pane.edited():
        made.say(f"{basename(path)}: {count(changed, 'line')} of the source differ", palette.text)
    reader = pane.subject.reader
    if reader is not None and reader.counts.steps != pane.other.counts.steps:
        made.say(
            f"{reader.counts.steps} | {pane.other.counts.steps}", palette.text, [("batches  ", palette.muted)]
        )
    return made.lines


def line_story(page: Page, place: Place, which: int, palette: Palette, width: int) -> list[Line]:
    """What became of one line of a recording."""
    made = Paragraphs(palette, width)
    mark = page.marks[which][place]
    made.say(MARKS[mark], palette.text, [(f"{mark} ", getattr(palette, MARK_TONES[mark]))])
    own = [
        pair
        for pair in page.pairs
        if (row := _row(pair, which)) is not None and (row.path, row.line) == place
    ]
    found = next((pair for pair in own if pair.verdict == "real"), None)
    made.say(f"{count(len(own), 'op')} in the {'second' if which else 'first'} recording", palette.muted)
    if found is not None:
        words, tone = in_words(found)
        head: Line = [(f"{visible(found.any.type)} {words}  ", getattr(palette, tone))]
        made.say(figures(found) or "it is not in the other recording", palette.text, head)
    return made.lines


def pair_story(pair: OpPair, palette: Palette, width: int) -> list[Line]:
    """One pair of ops."""
    made = Paragraphs(palette, width)
    words, tone = in_words(pair)
    head: Line = [(f"{visible(pair.any.type)}  ", palette.strong)]
    made.say(words + (f": norm {text}" if (text := figures(pair)) else ""), getattr(palette, tone), head)
    if pair.far is not None:
        made.say(in_elements(pair.far), palette.text, [("elements  ", palette.faint)])
    for name, row in (("first", pair.first), ("second", pair.second)):
        if row is not None:
            place = f"{basename(row.path)}:{row.line}" if row.path else "outside of your code"
            made.say(f"op {row.id} · {place}", palette.muted, [(f"{name}  ", palette.faint)])
    return made.lines


def value_story(pane: RecordingsPane, value: Value, palette: Palette, width: int) -> list[Line]:
    """One value, or a first difference."""
    if value.kind == "first":
        return whole_story(pane, palette, width)
    made = Paragraphs(palette, width)
    verdict = value.verdict or "same"
    head: Line = [(f"{value.kind} {visible(value.name)}  ", palette.strong)]
    made.say(f"{WORDS[verdict]}: {visible(value.text)}", getattr(palette, TONES[verdict]), head)
    if value.kind == "gradient" and verdict == "rounding":
        made.say("Judged against the global gradient norm: a gradient far below it is noise.", palette.muted)
    return made.lines


def _row(pair: OpPair, which: int) -> OpRow | None:
    return pair.second if which else pair.first
