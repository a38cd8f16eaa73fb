"""The AutoGraph tab on recordings and on a running script."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from tapeinspect.link.messages import Answer, AskWork, Doing, Status, Tick
from tapeinspect.ui.app import TapeApp
from tapeinspect.ui.panes.autograph import AutographPane
from tapeinspect.ui.panes.autograph_page import findings_of
from tapeinspect.ui.subject import Subject
from tests.ui import build, build_autograph
from tests.ui.fake_target import FakeTarget
from tests.ui.text import line_with, said, screen_text

Open = Callable[[Path], TapeApp]
WIDE, LOW = (160, 45), (80, 24)


@pytest.fixture(scope="session")
def traced(folder: Path) -> Path:
    """Three batches, the first traced for AutoGraph."""
    return build_autograph.recording(folder / "traced.tape")


@pytest.fixture(scope="session")
def untraceable(folder: Path) -> Path:
    """The trace of the step fails in `clip`."""
    return build_autograph.recording(folder / "untraceable.tape", fails=True)


def pane_of(app: TapeApp) -> AutographPane:
    """The tab's content."""
    pane = app.main.pane(4)
    assert isinstance(pane, AutographPane)
    return pane


async def test_corresponding_lines_stand_in_one_row(open_app: Open, traced: Path) -> None:
    async with open_app(traced).run_test(size=WIDE) as pilot:
        await pilot.press("4")
        app = pilot.app
        assert "6" in line_with(app, "logits = model(images, training=True)").split("ag__.converted_call")[0]
        assert "ag__.ld(seen).append" in line_with(app, "seen.append(logits)")
        assert "def if_body" in line_with(app, "if tf.reduce_mean(logits) > 0.0:")
        assert "def else_body" in line_with(app, "else:"), (
            "an else stands beside its body, though the map says `if`"
        )


async def test_the_cursor_lights_up_its_lines_on_the_other_side(open_app: Open, traced: Path) -> None:
    async with open_app(traced).run_test(size=WIDE) as pilot:
        await pilot.press("4", "down", "down", "down", "down")
        code = pane_of(pilot.app).code
        rows = code.right.code
        assert rows is not None and code.left.line == 24 - 20
        assert {rows.text(row).split("(")[0].strip() for row in code.right.lit} == {
            "def if_body", "def else_body", "ag__.if_stmt",
        }  # fmt: skip
        await pilot.press("tab")
        assert code.right.has_focus and "if_body" in rows.text(code.right.cursor)
        left = code.left.code
        assert left is not None and [left.text(row).strip() for row in code.left.lit] == [
            "if tf.reduce_mean(logits) > 0.0:"
        ]


async def test_both_sides_scroll_together(open_app: Open, traced: Path) -> None:
    async with open_app(traced).run_test(size=(120, 26)) as pilot:
        await pilot.press("4", "G")
        code = pane_of(pilot.app).code
        assert code.left.scroll_offset.y == code.right.scroll_offset.y > 0
        code.right.scroll_to(y=2, animate=False, force=True, immediate=True)
        await pilot.pause()
        assert code.left.scroll_offset.y == 2


async def test_boilerplate_is_folded_until_a_key_opens_it(open_app: Open, traced: Path) -> None:
    async with open_app(traced).run_test(size=WIDE) as pilot:
        app = pilot.app
        await pilot.press("4")
        assert line_with(app, "⋯ get_state, set_state") and line_with(app, "def if_body():  ⋯ nonlocal")
        assert "def get_state" not in screen_text(app) and "FunctionScope('" not in screen_text(app)
        await pilot.press("U")
        assert line_with(app, "def get_state") and line_with(app, "FunctionScope('train_step'")
        await pilot.press("U")
        assert "def get_state" not in screen_text(app)


async def test_enter_opens_one_fold_and_crosses_on_a_line(open_app: Open, traced: Path) -> None:
    async with open_app(traced).run_test(size=WIDE) as pilot:
        await pilot.press("4", "tab", "down", "enter")
        app, code = pilot.app, pane_of(pilot.app).code
        assert line_with(app, "with ag__.FunctionScope") and "def get_state" not in screen_text(app)
        code.go_to(40 - 1, 1)
        await pilot.press("enter")
        assert code.left.has_focus and code.left.line == 32 - 20


async def test_a_line_tells_what_became_of_it(open_app: Open, traced: Path) -> None:
    async with open_app(traced).run_test(size=WIDE) as pilot:
        app = pilot.app
        await pilot.press("4", "down", "down", "down")
        assert "!" in line_with(app, "23 P") and line_with(app, "append runs once, while tracing")
        assert line_with(app, "→ Return the logits from the step") and line_with(app, "append → Python")
        await pilot.press("down")
        assert line_with(app, "It makes 3 graph ops.") and line_with(app, "comparison → Greater")
        assert line_with(app, "logits  float32 (32, 10)")
        pane_of(app).code.go_to(29 - 20)
        await pilot.pause()
        assert line_with(app, "unrolled: the graph holds its body 2 times") and line_with(app, "29 U2")


async def test_a_loop_tells_its_variables_and_shape_invariants(open_app: Open, traced: Path) -> None:
    async with open_app(traced).run_test(size=WIDE) as pilot:
        await pilot.press("4", "F", "down", "enter")
        app, pane = pilot.app, pane_of(pilot.app)
        assert pane.code.left.has_focus and line_with(app, "steps.py:9  clip")
        pane.code.go_to(12 - 9)
        await pilot.pause()
        assert line_with(app, "while → While")
        assert line_with(app, "x  float32 (32, 10)  shape invariant (None, 10)") and line_with(
            app, "turns  int32 ()"
        )
        pane.code.go_to(15 - 9)
        await pilot.pause()
        assert line_with(app, "branches taken: if 0 times · else 1 time")
        pane.code.go_to(16 - 9)
        await pilot.pause()
        assert line_with(app, "It did not run while tracing.")


async def test_what_only_autograph_needs_says_so(open_app: Open, traced: Path) -> None:
    async with open_app(traced).run_test(size=WIDE) as pilot:
        await pilot.press("4", "tab", "down")
        assert line_with(pilot.app, "FunctionScope is where AutoGraph keeps the state of this call.")


async def test_functions_with_the_reason_for_each_that_was_not_converted(
    open_app: Open, traced: Path
) -> None:
    async with open_app(traced).run_test(size=WIDE) as pilot:
        app = pilot.app
        await pilot.press("4")
        assert "15 → 48 lines" in line_with(app, "✓! train_step") and "2 converted" in line_with(
            app, "Functions"
        )
        assert "a builtin of Python's" in line_with(app, "list.append")
        await pilot.press("F", "down", "down", "down")
        assert line_with(app, "Not converted: Keras marks it with do_not_convert")
        await pilot.press("enter")
        assert line_with(app, "the `call` of each layer is converted all the same")


async def test_below_100_columns_one_side_and_a_key_for_the_other(open_app: Open, traced: Path) -> None:
    async with open_app(traced).run_test(size=LOW) as pilot:
        app = pilot.app
        await pilot.press("4", "down", "down")
        assert line_with(app, "steps.py:20  train_step") and "Generated by AutoGraph" not in screen_text(app)
        await pilot.press("x")
        await pilot.pause()
        assert line_with(app, "Generated by AutoGraph") and "steps.py:20" not in screen_text(app)
        code = pane_of(app).code
        assert code.right.has_focus and code.right.line == 6 - 1
        await pilot.press("x")
        assert code.left.has_focus and code.left.line == 2
        await pilot.resize_terminal(140, 40)
        await pilot.pause()
        assert line_with(app, "steps.py:20  train_step") and line_with(app, "Generated by AutoGraph")


async def test_a_low_screen_shows_the_functions_in_place_of_the_code(open_app: Open, traced: Path) -> None:
    async with open_app(traced).run_test(size=LOW) as pilot:
        app = pilot.app
        await pilot.press("4")
        assert line_with(app, "1 of 5 functions")
        await pilot.press("F")
        await pilot.pause()
        assert line_with(app, "Functions  5 functions") and "steps.py:20  train_step" not in screen_text(app)
        await pilot.press("down", "enter")
        await pilot.pause()
        assert line_with(app, "steps.py:9  clip") and pane_of(app).code.left.has_focus


async def test_a_failed_trace_is_a_card_above_the_rest(open_app: Open, untraceable: Path) -> None:
    async with open_app(untraceable).run_test(size=WIDE) as pilot:
        app = pilot.app
        await pilot.press("4")
        await pilot.pause()
        assert "steps.py:13" in line_with(app, "Tracing fails: ValueError")
        assert line_with(app, "A loop of the graph keeps the shape of its variables")
        assert line_with(app, "→ Allow it with tf.autograph.experimental.set_loop_options")
        assert line_with(app, "▶ clip  steps.py:13") and "'x' has shape (32, 10)" in screen_text(app)
        assert "✗" in line_with(app, "13 G2") and line_with(app, "Tracing fails here.")
        assert pane_of(app).page.function.name == "clip", "the function that failed is shown first"
        pane_of(app).list.focus()
        await pilot.press("g")
        assert line_with(app, "steps.py:20  train_step")
        pane_of(app).card.focus()
        await pilot.press("enter")
        assert pane_of(app).place() == (build_autograph.PATH, 13)


async def test_traces_with_cause_and_advice(open_app: Open, traced: Path) -> None:
    async with open_app(traced).run_test(size=WIDE) as pilot:
        app = pilot.app
        await pilot.press("T")
        await pilot.pause()
        assert app.main.tab == 4 and line_with(app, "Traces  2 traces · 1 retrace")
        line = line_with(app, "train_step #2")
        assert "180 ms" in line and "128" in line and "steps.py:40" in line and "float32 (7, 784)" in line
        await pilot.press("down")
        assert line_with(app, "why  images has the shape (7, 784) where it had (32, 784).")
        assert line_with(app, "→ Give the batch a free dimension") and line_with(
            app, "with this input_signature"
        )
        assert pane_of(app).place() == (build_autograph.PATH, 40)
        await pilot.press("escape")
        assert pane_of(app).view_of == "code" and line_with(app, "steps.py:20  train_step")


async def test_no_traces_says_why(open_app: Open, plain: Path) -> None:
    async with open_app(plain).run_test(size=WIDE) as pilot:
        await pilot.press("4", "T")
        await pilot.pause()
        assert line_with(pilot.app, "--mode graph runs the script as it is written")


@pytest.mark.parametrize("size", [WIDE, LOW])
async def test_a_recording_without_it_says_how_to_get_it(
    open_app: Open, plain: Path, size: tuple[int, int]
) -> None:
    async with open_app(plain).run_test(size=size) as pilot:
        await pilot.press("4")
        await pilot.pause()
        assert line_with(pilot.app, "does not hold what AutoGraph makes")
        assert line_with(pilot.app, "tapeinspect record --autograph mnist_eager.py")
        await pilot.press("r")
        assert "This is a recording" in said(pilot.app)


async def test_plain_code_is_copied_and_exported(
    open_app: Open, traced: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with open_app(traced).run_test(size=WIDE) as pilot:
        app = pilot.app
        await pilot.press("4", "down", "down", "y")
        assert app.clipboard == "        logits = model(images, training=True)"
        await pilot.press("Y")
        record = json.loads(app.clipboard)
        assert record["name"] == "train_step" and record["generated"] == build_autograph.TRAIN_STEP
        for _ in range(2):
            await pilot.press("ctrl+e")
        assert (tmp_path / "train_step.autograph.py").read_text() == build_autograph.TRAIN_STEP
        assert (tmp_path / "train_step-2.autograph.py").read_text() == build_autograph.TRAIN_STEP


async def test_selected_code_has_no_gutter_and_what_is_folded_in_it(open_app: Open, traced: Path) -> None:
    from textual.geometry import Offset
    from textual.selection import Selection

    async with open_app(traced).run_test(size=WIDE) as pilot:
        await pilot.press("4")
        right = pane_of(pilot.app).code.right
        chosen = right.get_selection(Selection(Offset(0, 1), Offset(200, 3)))
        assert chosen is not None
        assert chosen[0].split("\n") == build_autograph.TRAIN_STEP.split("\n")[:5]


async def test_finding_and_zooming(open_app: Open, traced: Path) -> None:
    async with open_app(traced).run_test(size=WIDE) as pilot:
        app, pane = pilot.app, None
        await pilot.press("4", "/", *"apply_grad", "enter")
        pane = pane_of(app)
        assert pane.code.left.line == 33 - 20
        await pilot.press("z")
        await pilot.pause()
        assert pane.code.left.size.width >= 158 and pane.code.left.line == 33 - 20
        await pilot.press("z")
        await pilot.pause()
        assert pane.code.left.size.width < 100 and pane.list.display


async def test_finding_looks_into_folds(open_app: Open, traced: Path) -> None:
    async with open_app(traced).run_test(size=WIDE) as pilot:
        await pilot.press("4", "x")
        code = pane_of(pilot.app).code
        folds, line = len(code.folded(1)), code.right.line
        await pilot.press("/", *"NONLOCAL", "enter")
        generated = build_autograph.TRAIN_STEP.split("\n")
        hits = [at for at, text in enumerate(generated) if "nonlocal" in text]
        found = code.right.line
        assert found == hits[0] > (line or 0) and "nonlocal" in code.right.text_of(code.right.cursor)
        assert len(code.folded(1)) == folds - 1, "no other fold is opened"
        await pilot.press(".")
        assert code.right.line == hits[1]
        await pilot.press(",", ",")
        assert code.right.line == hits[-1], "it goes round"
        await pilot.press("/", *"no such text", "enter")
        assert code.right.line == hits[-1] and "is not in this pane" in said(pilot.app)


@pytest.mark.parametrize("size", [(60, 16), (20, 5), (100, 24)])
async def test_every_size_and_theme(open_app: Open, untraceable: Path, size: tuple[int, int]) -> None:
    async with open_app(untraceable).run_test(size=size) as pilot:
        for theme in ("tape-light", "ansi-dark", "nord"):
            pilot.app.theme = theme
            await pilot.press("4", "x", "U", "down", "G", "F", "down", "enter", "T", "T", "z", "z", "1")
            await pilot.resize_terminal(size[0] + 50, size[1] + 20)
            await pilot.press("4", "x", "x", "tab", "tab", "tab")
            await pilot.resize_terminal(*size)
        assert pilot.app.is_running


async def test_markup_and_control_characters_are_plain_text(open_app: Open, tmp_path: Path) -> None:
    path = build_autograph.recording(tmp_path / "odd.tape")
    with sqlite3.connect(path) as database:
        odd = "[red]x[/]\x1b[31m"
        database.execute("UPDATE ag_function SET name = ?, reason = ?, source = ?, generated = ? WHERE id = 1",
                         (odd, odd, f"def f(): {odd}", f"def g(): {odd}\n"))  # fmt: skip
        database.execute("UPDATE ag_construct SET text = ?, became = ?", (odd, odd))
        database.execute("UPDATE finding SET message = ?, line = 20", (odd,))
    async with open_app(path).run_test(size=WIDE) as pilot:
        await pilot.press("4")
        await pilot.pause(0.3)
        text = screen_text(pilot.app)
        assert "\x1b" not in text and text.count("[red]x[/]␛[31m") >= 4


# a running script


@pytest.fixture
def target(tmp_path: Path) -> FakeTarget:
    return FakeTarget(tmp_path / "run.tape")


async def settle(app: TapeApp, until: Callable[[], bool]) -> None:
    """Let the ticks go by until something holds."""
    import asyncio

    for _ in range(100):
        if until():
            break
        await asyncio.sleep(0.05)
    assert until(), screen_text(app)


def works(target: FakeTarget) -> list[AskWork]:
    """What the script was asked to do."""
    return [request for request in target.asked if isinstance(request, AskWork)]


def begun(target: FakeTarget, state: str = "paused") -> TapeApp:
    """The recording holds two batches."""
    build.recording(target.trace, batches=2, complete=False)
    target.say(Tick(66, 2, 1.5, 2.0, 1.11), Status(state, "", step=2, op=66))  # type: ignore[arg-type]
    return TapeApp(Subject(target.trace, target, target.inbox, "demos/train.py"))


async def test_opening_the_tab_asks_the_script_for_the_viewed_batch(target: FakeTarget) -> None:
    app = begun(target)
    target.hold(AskWork)
    async with app.run_test(size=WIDE) as pilot:
        await settle(app, lambda: app.main.viewed == 2)
        await pilot.press("4")
        await settle(app, lambda: bool(works(target)))
        request = works(target)[0]
        assert (request.work, request.step) == ("autograph", 2)
        await settle(app, lambda: "Tracing the step with the arguments of batch 2" in screen_text(app))
        _add_run(target.trace, step=2)
        target.answer(Answer(request.request, True, {"run": 1}))
        await settle(app, lambda: "def tf__train_step" in screen_text(app))
        assert line_with(app, "arguments of batch 2")
        await settle(app, lambda: len(works(target)) == 2)
        assert works(target)[1].work == "tracing", "what does not survive tracing is asked for behind it"
        target.answer(Answer(works(target)[1].request, True, {"survey": 1}))
        await settle(app, lambda: not pane_of(app).asking.open)
        await pilot.press("[")
        await pilot.pause()
        assert "r traces this batch" in line_with(app, "arguments of batch 2")
        await pilot.press("r")
        await settle(app, lambda: len(works(target)) == 3)
        assert (works(target)[2].work, works(target)[2].step) == ("autograph", 1)


async def test_while_the_script_runs_it_says_when_it_will_be_traced(target: FakeTarget) -> None:
    app = begun(target, "running")
    target.hold(AskWork)
    async with app.run_test(size=WIDE) as pilot:
        await settle(app, lambda: app.main.viewed == 2)
        await pilot.press("4")
        await settle(app, lambda: "is traced when the batch that runs has ended" in screen_text(app))


async def test_a_refusal_is_told_and_can_be_asked_again(target: FakeTarget) -> None:
    app = begun(target)
    body = {"message": "The step stands in a loop at module level.", "hint": "Put it into a function."}
    target.answers[AskWork] = Answer(1, False, body)
    async with app.run_test(size=WIDE) as pilot:
        await settle(app, lambda: app.main.viewed == 2)
        await pilot.press("4")
        await settle(app, lambda: "The step stands in a loop at module level." in screen_text(app))
        assert line_with(app, "Put it into a function.") and line_with(app, "r asks again")
        await pilot.pause(0.8)
        assert len(works(target)) == 2, "it is not asked again by itself"
        await pilot.press("r")
        await settle(app, lambda: len(works(target)) == 4)


async def test_before_the_first_batch_it_says_what_it_waits_for(target: FakeTarget) -> None:
    app = TapeApp(Subject(target.trace, target, target.inbox, "demos/train.py"))
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("4")
        await pilot.pause()
        assert line_with(app, "Waiting for Python to start")
        await pilot.press("r")
        assert not works(target) and "first batch has ended" in said(app)


async def test_an_ended_script_cannot_be_asked(target: FakeTarget) -> None:
    app = begun(target)
    target.exit(0)
    async with app.run_test(size=WIDE) as pilot:
        await settle(app, lambda: app.subject.exited)
        await pilot.press("4")
        await pilot.pause()
        assert line_with(app, "The script has ended, so its step cannot be traced any more")


def _add_run(path: Path, step: int) -> None:
    """The script writes what it found into the recording."""
    with sqlite3.connect(path) as database:

        class Writer:
            def insert(self, table: str, rows: list[tuple[object, ...]]) -> None:
                marks = ",".join("?" * len(rows[0]))
                database.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)

        build_autograph.rows(Writer(), step=step)  # type: ignore[arg-type]


async def test_what_a_comparison_is_at_is_told_while_it_is_waited_for(target: FakeTarget) -> None:
    """Behind the words for the wait, and no more of it when the next one is asked for."""
    app = begun(target)
    target.hold(AskWork)
    async with app.run_test(size=WIDE) as pilot:
        await settle(app, lambda: app.main.viewed == 2)
        await pilot.press("5")
        await settle(app, lambda: "eagerly and traced with the arguments of batch 2 …" in screen_text(app))
        for text in ("op by op", "measuring memory"):
            target.say(Doing("diff", text))
            await settle(app, lambda text=text: f"of batch 2: {text} … " in screen_text(app))
        target.answer(Answer(works(target)[0].request, False, {"message": "the step cannot be run again"}))
        await settle(app, lambda: "the step cannot be run again" in screen_text(app))
        await pilot.press("r")
        await settle(app, lambda: "eagerly and traced with the arguments of batch 2 …" in screen_text(app))


async def test_keys_go_from_one_flagged_line_to_the_next(open_app: Open, traced: Path, plain: Path) -> None:
    async with open_app(traced).run_test(size=WIDE) as pilot:
        await pilot.press("4")
        pane = pane_of(pilot.app)
        assert pane.run_shown is not None
        flagged = [
            (function.path, line)
            for function in pane.functions
            for line in sorted(findings_of(pane.problems, pane.run_shown, function))
        ]
        assert len(set(flagged)) > 1
        met = []
        for _ in set(flagged):
            await pilot.press("right_curly_bracket")
            met.append(pane.place())
        assert set(met) == set(flagged), "each of them once"
        await pilot.press("right_curly_bracket")
        assert pane.place() == met[0], "it begins again"
        await pilot.press("left_curly_bracket")
        assert pane.place() == met[-1]
        await pilot.press("1", "right_curly_bracket")
        assert "flagged in AutoGraph" in said(pilot.app)
    async with open_app(plain).run_test(size=WIDE) as pilot:
        await pilot.press("4", "right_curly_bracket")
        assert "Nothing has been traced" in said(pilot.app)
