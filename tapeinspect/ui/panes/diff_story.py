"""The Diff tab in words: the whole comparison, a line, a pair of ops, a value."""

from __future__ import annotations

import math

from tapeinspect.analysis.diff_marks import MARKS
from tapeinspect.trace.diff_request import CHANGES, XLA_WORDS, grouped, memory_words, tally
from tapeinspect.trace.differences import Difference, DiffFinding, DiffOp, DiffValue, Far, Rewritten
from tapeinspect.ui.format import basename, count, number, took, visible
from tapeinspect.ui.palette import Palette
from tapeinspect.ui.panes.autograph_lines import Paragraphs, say_construct
from tapeinspect.ui.panes.diff_code import MARK_TONES, Code
from tapeinspect.ui.panes.diff_page import Page
from tapeinspect.ui.panes.diff_rows import far_in_words, far_tone, place_of
from tapeinspect.ui.widgets.cells import Line

VERDICTS = {
    "same": ("SAME", "good"),
    "different": ("DIFFERENT", "bad"),
    "fails_to_trace": ("FAILS TO TRACE", "bad"),
}
_TONES = {"error": "bad", "warning": "warn", "info": "info"}


def speed(diff: Difference) -> str:
    """Eager and traced time of the step, and when tracing pays off; "" when nothing was timed."""
    if diff.eager_seconds is None:
        return ""
    text = f"eager {took(diff.eager_seconds * 1e9)} a batch"
    if diff.traced_seconds is None or diff.trace_seconds is None:
        return text
    ratio = diff.eager_seconds / max(diff.traced_seconds, 1e-9)
    text += f" · traced {took(diff.traced_seconds * 1e9)}, {ratio:.1f}×"
    even = diff.break_even
    text += f" · tracing {took(diff.trace_seconds * 1e9)}"
    return text + (f", pays off from batch {math.ceil(even):,}" if even is not None else ", does not pay off")


def whole_story(page: Page, palette: Palette, width: int) -> list[Line]:
    """What came of the comparison: findings, or that nothing differs, with the figures."""
    made = Paragraphs(palette, width)
    for finding in page.findings:
        _finding(made, finding, place=True)
    if not page.findings:
        made.say("Nothing differs in code, values or behaviour.", palette.good)
    for text in _tallies(page):
        made.say(text, palette.text)
    if said := speed(page.diff):
        made.say(said, palette.muted)
        made.say(f"memory: {memory_words(page.memory)}", palette.muted)
    for text in _on_request(page):
        made.say(text, palette.text)
    for note in page.diff.notes:
        made.say(visible(note), palette.muted, [("note: ", palette.faint)])
    return made.lines


def _on_request(page: Page) -> list[str]:
    """What XLA and Grappler make of the step, where they were asked for."""
    found = []
    if page.compiled is not None:
        text = f"XLA: {XLA_WORDS[page.compiled.verdict]}"
        if page.compiled.seconds is not None:
            text += f" · {took(page.compiled.seconds * 1e9)} a batch"
        if page.compiled.compile_seconds is not None:
            text += f", compiling {took(page.compiled.compile_seconds * 1e9)}"
        found.append(text)
    if page.rewritten is not None:
        found.append(f"After Grappler: {tally(page.rewritten)}")
    return found


def _tallies(page: Page) -> list[str]:
    found = []
    if page.diff.ops:
        both = sum(op.relation == "equal" for op in page.ops)
        odd = {
            words: sum(op.relation == relation for op in page.ops)
            for relation, words in (("eager", "only eager"), ("traced", "only traced"), ("moved", "moved"))
        }
        text = f"{count(both, 'op')} in both" + "".join(f", {n} {words}" for words, n in odd.items() if n)
        found.append(text + (f", {page.folded} folded away" if page.folded else ""))
    for kind in ("output", "gradient", "variable"):
        values = [value for value in page.values if value.kind == kind and value.call == 1]
        if values:
            verdicts = [value.far.verdict for value in values]
            parts = [f"{n} {v}" for v in ("bit-equal", "rounding", "real") if (n := verdicts.count(v))]
            found.append(f"{count(len(values), kind)}: {', '.join(parts) or 'not compared'}")
    return found


def line_story(page: Page, code: Code, line: int, palette: Palette, width: int) -> list[Line]:
    """What became of one line of a function, by its number in the file."""
    made = Paragraphs(palette, width)
    for finding in page.findings_at(code.path, line):
        _finding(made, finding)
    mark, ops = page.mark(code.path, line), page.line(code.path, line)
    if mark:
        made.say(MARKS[mark], palette.text, [(f"{mark} ", getattr(palette, MARK_TONES[mark]))])
    if (called := page.called_mark(code.path, line)) is not None:
        words, (path, at) = MARKS[called[0]], called[1]
        head: Line = [(f"↓{called[0]} ", getattr(palette, MARK_TONES[called[0]]))]
        where = f"line {at}" if path == code.path else f"{basename(path)}:{at}"
        made.say(f"{where}, which is called here: {words}", palette.text, head)
    if ops is not None:
        text = f"{count(ops.eager, 'op')} eagerly, {ops.traced} in the graph"
        text += f", {ops.only_eager} only eagerly" if ops.only_eager else ""
        text += f", {ops.only_traced} only in the graph" if ops.only_traced else ""
        text += f", {ops.folded} folded" if ops.folded else ""
        made.say(text, palette.muted)
    for _, _, text in grouped(page.rewritten_at(code.path, line)):
        made.say(visible(text), palette.muted, [("Grappler  ", palette.faint)])
    for construct in code.converted.constructs.get(line, ()) if code.converted is not None else ():
        say_construct(made, construct)
    return made.lines or whole_story(page, palette, width)


def op_story(page: Page, op: DiffOp, palette: Palette, width: int) -> list[Line]:
    """One pair of ops."""
    made = Paragraphs(palette, width)
    if op.id == page.diff.first_op:
        made.say("The first op whose values really differ.", palette.bad)
    made.say(distance(op.far), far_tone(op.far, palette), [(f"{visible(op.type)}  ", palette.strong)])
    if op.why:
        made.say(visible(op.why), palette.text)
    turn = f" · run {op.turn + 1}" if op.turn else ""
    moved = f" · in the graph on line {op.traced_line}" if op.traced_line else ""
    made.say(place_of(op) + turn + moved, palette.muted)
    for finding in page.findings_at(op.path, op.line):
        _finding(made, finding)
    return made.lines


def rewritten_story(found: Rewritten, palette: Palette, width: int) -> list[Line]:
    """What Grappler did with one op."""
    made = Paragraphs(palette, width)
    becomes = f" → {visible(found.becomes)}" if found.becomes else ""
    made.say(CHANGES[found.change], palette.text, [(f"{visible(found.type)}{becomes}  ", palette.strong)])
    where = f"line {found.line}" if found.line else "on no line of yours"
    made.say(f"{where} · {visible(found.name)} in the graph", palette.muted)
    return made.lines


def value_story(value: DiffValue, compiled: DiffValue | None, palette: Palette, width: int) -> list[Line]:
    """One value after a call; compiled: that of the step compiled by XLA."""
    made = Paragraphs(palette, width)
    head: Line = [(f"{value.kind} {visible(value.name)}  ", palette.strong)]
    if value.side == "traced":
        made.say(distance(value.far), far_tone(value.far, palette), head)
    if compiled is not None:
        words = [("compiled by XLA, against the traced step  ", palette.second)]
        made.say(distance(compiled.far), far_tone(compiled.far, palette), [*words])
    if value.note:
        made.say(visible(value.note), palette.text)
    if value.kind == "gradient" and value.far.verdict == "rounding":
        text = "Judged against the global gradient norm: a gradient far below it is noise, whatever its own digits."
        made.say(text, palette.muted)
    return made.lines


def distance(far: Far) -> str:
    """How far two values are apart, in full."""
    if far.verdict is None:
        return "not compared"
    if far.verdict == "bit-equal":
        return "the same to the last bit"
    if far.max_abs is None:
        return "of another shape or type, so not to be measured"
    parts = [f"at most {number(far.max_abs, 3)} apart"]
    if far.max_rel is not None:
        parts.append(f"relative {number(far.max_rel, 3)}")
    if far.ulp is not None:
        parts.append(f"{far.ulp:,} ULP")
    return f"{far.verdict}: {', '.join(parts)}"


def _finding(made: Paragraphs, finding: DiffFinding, place: bool = False) -> None:
    palette = made.palette
    head: Line = [(f"{finding.severity}  ", getattr(palette, _TONES[finding.severity]))]
    where = f"line {finding.line}: " if place and finding.line else ""
    made.say(where + visible(finding.message), palette.text, head)
    if finding.hint:
        made.say(visible(finding.hint), palette.good, [("→ ", palette.good)], indent=2)


__all__ = ["far_in_words", "line_story", "op_story", "speed", "value_story", "whole_story"]
