"""The reports on AutoGraph, from a recording written fact by fact."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tapeinspect.errors import UsageError
from tapeinspect.report import autograph_html, autograph_json, autograph_text
from tapeinspect.report.autograph import Report, load
from tapeinspect.report.colours import Painter, visible
from tapeinspect.trace.reader import open_trace
from tests.trace.builders import Recording

SOURCE = "def step(x):\n    # a comment\n    if x > 0:\n        y = x\n    return '<b>'\n"
GENERATED = (
    "def tf__step(x):\n"
    "    with ag__.FunctionScope('step') as fscope:\n"
    "        def get_state():\n"
    "            return (y,)\n"
    "        def if_body():\n"
    "            y = ag__.ld(x)\n"
    "        ag__.if_stmt(ag__.ld(x) > 0, if_body)\n"
    "        retval_ = '<b>'\n"
    "        return fscope.ret(retval_)\n"
)
LINES = {1: 10, 5: 12, 6: 13, 7: 12, 8: 14}


def written(folder: Path, status: str = "traced") -> Report:
    """A step at line 10 of the script, with a helper that was not converted."""
    recording = Recording(folder / "run.tape")
    insert = recording.writer.insert
    insert("ag_run", [(1, 1, "step", 1, 10, status, "a note", "a hint", 7, 0.25, 1.5)])
    step = (1, 1, None, None, "step", "train", "function", "user", 1, 10, 14, None, None, 1)
    insert("ag_function", [(*step, "converted", "", "", SOURCE, GENERATED)])
    helper = (2, 1, 1, None, "helper", "lib", "function", "library", 2, 5, 6, 1, 13, 2)
    insert("ag_function", [(*helper, "not_converted", "generator", "it is a generator", None, None)])
    insert("ag_line", [(1, line, at) for line, at in LINES.items()])
    insert("ag_fold", [(1, 2, 2, "scope"), (1, 3, 4, "get_state"), (1, 9, 9, "return")])
    insert("ag_mark", [(1, 1, 12, "G", 3, 1), (1, 1, 13, "P", 0, 1), (1, 1, 14, "·", 0, 0)])
    detail = json.dumps(
        {"variables": [{"name": "y", "text": "float32 (2)", "invariant": "(None,)"}], "branches": []}
    )
    insert("ag_construct", [(1, 1, 1, 12, 12, 4, 12, "if", "If", 1, "In the graph.", detail)])
    if status == "failed":
        path = "/home/user/train.py"
        frames = json.dumps([{"file": path, "line": 13, "function": "step", "code": "y = x", "user": True}])
        insert(
            "ag_failure", [(1, "ValueError", "no <way>", path, 13, "step", frames, "It cannot.", "Do so.")]
        )
    reader = open_trace(recording.done())
    try:
        return load(reader, None)
    finally:
        reader.close()


def test_the_sources_stand_side_by_side(tmp_path: Path) -> None:
    (function,) = written(tmp_path).shown
    pairs = [(p.original, p.generated, p.fold.what if p.fold else "") for p in function.pairs(folded=True)]
    assert pairs == [
        (10, 1, ""), (None, None, "scope, get_state"), (11, None, ""), (12, 5, ""), (13, 6, ""), (None, 7, ""),
        (14, 8, ""), (None, None, "return"),
    ]  # fmt: skip
    whole = [p.generated for p in function.pairs(folded=False) if p.generated]
    assert whole == list(range(1, 10))


def test_text(tmp_path: Path) -> None:
    text = autograph_text.write(written(tmp_path), 120, True, Painter(False))
    assert "step: traced with the arguments of batch 1: 7 graph ops, 1.50 s (0.25 s of it AutoGraph)" in text
    row = next(line for line in text.splitlines() if "if x > 0" in line)
    assert re.match(r"G 3 +12 +if x > 0: +│ +5 +def if_body\(\):$", row)
    assert "⋯ scope, get state, 3 lines" in text and "FunctionScope" not in text
    assert "In the graph. y: float32 (2), shape invariant (None,)" in text
    assert "helper  it is a generator (called at line 13)" in text
    assert max(map(len, text.splitlines())) <= 120
    assert "FunctionScope" in autograph_text.write(written(tmp_path), 120, False, Painter(False))


@pytest.mark.parametrize("width", [20, 60, 99, 100, 250])
def test_any_width_holds_all_of_the_code(tmp_path: Path, width: int) -> None:
    text = autograph_text.write(written(tmp_path), width, True, Painter(False))
    squeezed = re.sub(r"[\s│\d]", "", text)
    assert re.sub(r"[\s\d]", "", "ag__.if_stmt(ag__.ld(x) > 0, if_body)") in squeezed or width == 20


def test_colours_change_nothing_but_the_colour(tmp_path: Path) -> None:
    report = written(tmp_path)
    coloured = autograph_text.write(report, 120, True, Painter(True))
    plain = re.sub(r"\x1b\[\d*m", "", coloured)
    lines = [line.rstrip() for line in plain.splitlines()]
    assert lines == [
        line.rstrip() for line in autograph_text.write(report, 120, True, Painter(False)).splitlines()
    ]
    assert "\x1b[35mif\x1b[0m" in coloured


def test_a_failure_comes_first(tmp_path: Path) -> None:
    text = autograph_text.write(written(tmp_path, "failed"), 100, True, Painter(False))
    head = text.splitlines()
    assert head[0] == "step: cannot be traced with the arguments of batch 1"
    assert "ValueError at train.py:13, in step" in head and "  no <way>" in head
    assert "  It cannot." in head and "  To do: Do so." in head


def test_html_is_escaped_and_needs_nothing_else(tmp_path: Path) -> None:
    page = autograph_html.write(written(tmp_path, "failed"))
    assert "no &lt;way&gt;" in page and "<way>" not in page and "<b>'" not in page
    assert not re.search(r"(src|href)=", page)
    assert page.count("<tr") == page.count("</tr>") and page.count("<table") == page.count("</table>")


def test_html_colours_the_marks_itself_and_says_what_they_mean(tmp_path: Path) -> None:
    page = autograph_html.write(written(tmp_path))
    style = page[: page.index("</style>")]
    used = {name for names in re.findall(r"<td class='(mark [^']*)'", page) for name in names.split()}
    assert {"mark", "in-graph"} <= used
    assert not [name for name in used if f".k .{name} " in style], "a class that Pygments colours, too"
    assert all(text in page for text in ("graph ops</span>", "runs only while tracing", "unrolled into"))


def test_html_folds_what_only_autograph_needs_into_one_row_that_opens_and_closes(tmp_path: Path) -> None:
    page = autograph_html.write(written(tmp_path))
    (fold, *_) = re.findall(r"<tbody class=fold .*?</tbody>", page)
    assert fold.startswith("""<tbody class=fold onclick="this.classList.toggle('open')"><tr class=brief>""")
    said = re.search(r"⋯ [^<]*, (\d+) lines?<", fold)
    assert said is not None and int(said[1]) == fold.count("<tr class='whole'>")
    assert "1 lines" not in page


def test_json(tmp_path: Path) -> None:
    body = json.loads(autograph_json.write(written(tmp_path)))
    assert body["run"]["ops"] == 7 and body["failure"] is None
    (function,) = body["functions"]
    assert function["generated"] == GENERATED and function["lines"]["6"] == 13
    assert function["constructs"][0]["variables"] == [
        {"name": "y", "text": "float32 (2)", "invariant": "(None,)"}
    ]
    assert [found["name"] for found in body["not_converted"]] == ["helper"]


def test_one_function(tmp_path: Path) -> None:
    written(tmp_path)
    reader = open_trace(tmp_path / "run.tape")
    assert [f.function.name for f in load(reader, "step").shown] == ["step"]
    with pytest.raises(UsageError, match="no function 'nope'"):
        load(reader, "nope")
    reader.close()


def test_a_recording_without_it_says_how_to_get_it(tmp_path: Path) -> None:
    reader = open_trace(Recording(tmp_path / "run.tape").done())
    with pytest.raises(UsageError, match="nothing of AutoGraph") as raised:
        load(reader, None)
    assert "record --autograph" in raised.value.hint
    reader.close()


def test_control_characters_are_made_visible() -> None:
    assert visible("a\x1b[31mb\x7f\tc") == "a␛[31mb␡    c"
    assert Painter(False).cells("\x1b]0;x\x07", 10) == ["␛]0;x␇    "]


def test_a_lambda_is_found_by_the_name_that_its_line_gives_it(tmp_path: Path) -> None:
    recording = Recording(tmp_path / "run.tape")
    insert = recording.writer.insert
    source = "double, half = (lambda x: x * 2), (lambda x: x / 2)\nother = len\n"
    insert("file", [(9, "/home/user/lambdas.py", "user", source)])
    insert("ag_run", [(1, 1, "step", 9, 1, "traced", "", "", 7, 0.25, 1.5)])
    place = (1, 1, None, None, "<lambda>", "__main__", "lambda", "user", 9, 1, 1, None, None, 1)
    insert(
        "ag_function", [(*place, "not_converted", "lambdas", "several lambdas stand on its line", None, None)]
    )
    recording.writer.commit()
    recording.writer.close()
    trace = open_trace(recording.path)
    assert [f.reason for f in load(trace, "half").listed] == ["several lambdas stand on its line"]
    with pytest.raises(UsageError, match="no function 'other'"):
        load(trace, "other")
