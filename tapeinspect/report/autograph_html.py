"""What AutoGraph made of a script, as one HTML page that needs nothing else."""

from __future__ import annotations

import os
from collections.abc import Iterator
from html import escape
from itertools import groupby

from tapeinspect.report import traces as traces_report
from tapeinspect.report.autograph import FunctionReport, Pair, Report, mark_text, title
from tapeinspect.trace.records import AutographFold

_STYLE = """
body { font: 14px/1.4 system-ui, sans-serif; margin: 1.5em; color: #222; background: #fff }
h1 { font-size: 1.3em } h2 { font-size: 1.1em; margin-top: 2em }
table { border-collapse: collapse; width: 100%; table-layout: fixed }
table.code { font: 12px/1.45 ui-monospace, monospace }
td { vertical-align: top; padding: 0 .6em; white-space: pre-wrap; overflow-wrap: anywhere }
.code td.source { padding-left: calc(.6em + var(--hang, 0) * 1ch); text-indent: calc(var(--hang, 0) * -1ch) }
td.mark { width: 3.5em; font-weight: bold } td.line { width: 3em; color: #888; text-align: right }
tr:hover td { background: #eef4ff } tbody.fold td { color: #777 } tbody.fold.open tr.brief { display: none }
tbody.fold:not(.open) tr.whole { display: none } tbody.fold { cursor: pointer }
.in-graph { color: #1a7f37 } .python { color: #9a6700 } .unrolled { color: #8250df } .idle, .legend { color: #777 }
.card { border-left: 4px solid #cf222e; padding: .5em 1em; background: #fff5f5 }
.list td { white-space: normal; border-top: 1px solid #eee; padding: .3em .6em }
.list td:first-child { width: 20em } .list th { text-align: left; padding: .3em .6em }
.traces td:first-child { width: auto } .again td:first-child { border-left: 4px solid #bf8700 }
.advice { margin: .3em 0 0 } .legend span { display: inline-block; margin-right: 1em }
@media (max-width: 1000px) { td.source { --hang: 4 !important } td.mark, td.line { width: 2.6em } }
@media (prefers-color-scheme: dark) { body { background: #111; color: #ddd } tr:hover td { background: #1b2535 }
.card { background: #2a1515 } .list td { border-color: #333 } tbody.fold td { color: #999 }
.in-graph { color: #4ac26b } .python { color: #d4a72c } .unrolled { color: #c297ff }
.idle, .legend { color: #999 } }
"""
_MARKS = {"G": "in-graph", "P": "python", "U": "unrolled"}
"""Classes of the marks. One letter would be what Pygments calls a kind of word."""
_LEGEND = (
    ("in-graph", "G 3", "the line makes 3 graph ops"),
    ("python", "P", "Python that runs only while tracing"),
    ("unrolled", "U 4", "a loop unrolled into 4 turns"),
    ("idle", "·", "did not run while tracing"),
)
_CSS_DARK = "@media (prefers-color-scheme: dark) {{ {} }}"


def write(report: Report) -> str:
    """The page."""
    from pygments.formatters.html import HtmlFormatter

    light, dark = HtmlFormatter(style="default"), HtmlFormatter(style="monokai")
    css = _STYLE + light.get_style_defs(".k") + _CSS_DARK.format(dark.get_style_defs(".k"))
    body = "\n".join(_body(report))
    name = f"{escape(report.run.function)} · AutoGraph"
    view = '<meta name=viewport content="width=device-width">'
    head = f"<meta charset=utf-8>{view}<title>{name}</title><style>{css}</style>"
    return f"<!doctype html><html lang=en><head>{head}</head><body>\n{body}\n</body></html>\n"


def _body(report: Report) -> Iterator[str]:
    run, failure = report.run, report.failure
    yield f"<h1>{escape(title(run))}</h1>"
    for text in (run.note, run.hint):
        if text:
            yield f"<p>{escape(text)}</p>"
    if failure is not None:
        frames = "".join(
            f"<br>{escape(_place(f.file, f.line))}, in {escape(f.function)}: <code>{escape(f.code)}</code>"
            for f in failure.frames
        )
        yield (
            f"<div class=card><b>{escape(failure.type)}</b> at {escape(_place(failure.path, failure.line))}"
            f"<pre>{escape(failure.message)}</pre>{frames}"
            f"<p>{escape(failure.explanation)}</p><p>{escape(failure.hint)}</p></div>"
        )
    if any(function.marks for function in report.shown):
        marks = (f"<span><b class={kind}>{mark}</b> {escape(text)}</span>" for kind, mark, text in _LEGEND)
        yield f"<p class=legend>{' '.join(marks)}</p>"
    for function in report.shown:
        yield from _function(function)
    if report.listed:
        yield "<h2>Not converted</h2><table class=list>"
        for f in report.listed:
            yield f"<tr><td><code>{escape(f.name)}</code></td><td>{escape(f.reason)}</td></tr>"
        yield "</table>"
    if report.findings:
        yield "<h2>What does not survive tracing</h2><table class=list>"
        for finding in report.findings:
            where = escape(_place(finding.path, finding.line))
            hint = f"<p class=advice>→ {escape(finding.hint)}</p>" if finding.hint else ""
            yield f"<tr><td>{where}</td><td>{escape(finding.message)}{hint}</td></tr>"
        yield "</table>"
    yield from _traces(report)
    yield from _loop_body(report)


def _traces(report: Report) -> Iterator[str]:
    """Each trace of the script's `tf.function`s: why it was made, and what would have saved it."""
    found = traces_report.listed(report.traces)
    if found is None:
        return
    yield f"<h2>{escape(found.head)}</h2><table class='list traces'>"
    yield "<tr><th>Trace</th><th>Called with</th><th>Why it was made, and what would have saved it</th></tr>"
    for entry in found.entries:
        name, *facts = map(escape, entry.facts)
        given = "<br>".join(f"{escape(name)}: {escape(text)}" for name, text in entry.arguments)
        why = escape(entry.why) or "first trace"
        advice = f"<p class=advice>→ {escape(entry.advice)}</p>" if entry.advice else ""
        kind = " class=again" if entry.why else ""
        yield (
            f"<tr{kind}><td><code>{name}</code><br>{' · '.join(facts)}</td>"
            f"<td><code>{given}</code></td><td>{why}{advice}</td></tr>"
        )
    yield "</table>"
    if found.rest:
        yield f"<p>{escape(found.rest)}</p>"


def _loop_body(report: Report) -> Iterator[str]:
    if report.body is not None and report.body.code:
        yield "<h2>The loop with its body as a function</h2><table class='code k'>"
        yield f"<tr><td>{_code(report.body.code)}</td></tr></table>"


def _function(report: FunctionReport) -> Iterator[str]:
    function = report.function
    where = f"{_place(function.path, function.line)}-{function.end_line}"
    yield f"<h2><code>{escape(function.name)}</code> {escape(where)}</h2>"
    if function.status != "converted":
        yield f"<p>Not converted: {escape(function.reason)}; beside it is what it would become.</p>"
    yield "<table class='code k'>"
    for fold, pairs in groupby(report.pairs(folded=True), key=lambda pair: pair.fold):
        if fold is None:
            yield f"<tbody>{''.join(_row(report, pair, '') for pair in pairs)}</tbody>"
        else:
            yield _fold(report, fold)
    yield "</table>"
    if report.constructs and report.marks:
        yield "<table class=list>"
        for c in report.constructs:
            variables = "; ".join(f"{v.name}: {v.text}" for v in c.variables)
            yield (
                f"<tr><td>{c.line} <b>{escape(c.construct)}</b></td>"
                f"<td>{escape(c.text)} <code>{escape(variables)}</code></td></tr>"
            )
        yield "</table>"


def _fold(report: FunctionReport, fold: AutographFold) -> str:
    """Generated lines that only AutoGraph needs: one row that opens with a click, and closes with another."""
    lines = range(fold.first, fold.last + 1)
    name = f"⋯ {fold.what.replace('_', ' ')}, {len(lines)} line{'s' if len(lines) > 1 else ''}"
    brief = f"<td></td><td></td><td></td><td></td><td>{escape(name)}</td>"
    whole = "".join(_row(report, Pair(None, number), "whole") for number in lines)
    click = "this.classList.toggle('open')"
    return f'<tbody class=fold onclick="{click}"><tr class=brief>{brief}</tr>{whole}</tbody>'


def _row(report: FunctionReport, pair: Pair, kind: str) -> str:
    mark = report.marks.get(pair.original) if pair.original is not None else None
    left = report.original.get(pair.original, "") if pair.original is not None else ""
    right = report.generated[pair.generated - 1] if pair.generated is not None else ""
    shown = _MARKS.get(mark.mark, "idle") if mark is not None else ""
    return (
        f"<tr class='{kind}'><td class='mark {shown}'>{mark_text(mark)}</td>"
        f"<td class=line>{pair.original or ''}</td>{_cell(left)}"
        f"<td class=line>{pair.generated or ''}</td>{_cell(right)}</tr>"
    )


def _cell(text: str) -> str:
    """A line of code; what goes on in a second line of the cell is indented further than the first."""
    hang = len(text) - len(text.lstrip()) + 4
    return f'<td class=source style="--hang: {hang}">{_code(text)}</td>'


def _code(text: str) -> str:
    from pygments import highlight
    from pygments.formatters.html import HtmlFormatter
    from pygments.lexers.python import PythonLexer

    lexer = PythonLexer(stripnl=False, ensurenl=False)
    return str(highlight(text, lexer, HtmlFormatter(nowrap=True))).rstrip("\n")


def _place(path: str | None, line: int | None) -> str:
    if path is None:
        return "an unknown place"
    return os.path.basename(path) if line is None else f"{os.path.basename(path)}:{line}"
