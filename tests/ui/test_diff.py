"""The Diff tab on recorded comparisons."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path

import pytest
from textual.app import App
from textual.pilot import Pilot

from tapeinspect.analysis.diff_marks import extent
from tapeinspect.link.messages import Answer, AskWork, Doing, Status
from tapeinspect.ui.app import TapeApp
from tapeinspect.ui.panes.asking import DIFF, Asking
from tapeinspect.ui.panes.diff import DiffPane
from tapeinspect.ui.subject import Subject
from tests.ui.build_diff import OPS, generated, with_comparison
from tests.ui.fake_target import FakeTarget

Open = Callable[[Path], TapeApp]


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A comparison that found differences."""
    return with_comparison(tmp_path_factory.mktemp("diff") / "different.tape")


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with what XLA and Grappler make of the step."""
    return with_comparison(tmp_path_factory.mktemp("diff") / "compiled.tape", xla="different")


@pytest.fixture(scope="module")
def fails(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A step that cannot be traced."""
    return with_comparison(tmp_path_factory.mktemp("diff") / "fails.tape", "fails_to_trace", ops=False)


async def opened(pilot: Pilot[int], *keys: str) -> DiffPane:
    """The tab, after some keys."""
    await pilot.press("5", *keys)
    await pilot.pause(0.1)
    return pilot.app.query_one(DiffPane)


async def at_rest(pilot: Pilot[int]) -> None:
    """Wait until the colours of the sources are there."""
    await pilot.pause(0.5)
    await pilot.app.workers.wait_for_complete()
    await pilot.pause()


def notices(app: App[int]) -> str:
    """What the screen has said in its corner."""
    return "\n".join(str(note.message) for note in app._notifications)


def said(pane: DiffPane) -> str:
    """The story below the lists, on one line."""
    story = pane.story
    return " ".join(" ".join(story.text_of(i) for i in range(len(story.rows))).split())


@pytest.mark.parametrize("size", [(80, 24), (110, 30), (160, 45)], ids=["80x24", "110x30", "160x45"])
def test_how_it_looks(
    snap_compare: Callable[..., bool], open_app: Open, compared: Path, size: tuple[int, int]
) -> None:
    assert snap_compare(open_app(compared), terminal_size=size, press=["5"], run_before=at_rest)


def test_how_xla_and_grappler_look(snap_compare: Callable[..., bool], open_app: Open, compiled: Path) -> None:
    app = open_app(compiled)
    app.theme = "tape-light"
    assert snap_compare(app, terminal_size=(160, 45), press=["5", "X"], run_before=at_rest)


def test_how_a_step_that_cannot_be_traced_looks(
    snap_compare: Callable[..., bool], open_app: Open, fails: Path
) -> None:
    assert snap_compare(open_app(fails), terminal_size=(80, 24), press=["5"], run_before=at_rest)


async def test_it_opens_on_the_line_that_matters(open_app: Open, compared: Path) -> None:
    async with open_app(compared).run_test(size=(160, 45)) as pilot:
        pane = await opened(pilot)
        assert "DIFFERENT · batch 2" in pane.code.left.note
        assert pane.place() == ("/home/ada/mnist_eager.py", 17)
        assert "drawn once, while tracing" in said(pane)
        assert "use tf.random.uniform([])" in said(pane)


async def test_marks_of_the_lines(open_app: Open, compared: Path) -> None:
    async with open_app(compared).run_test(size=(160, 45)) as pilot:
        page = (await opened(pilot)).page
        assert page is not None
        assert {line: page.mark(page.diff.path, line) for line in range(13, 21)} == {
            13: "", 14: "", 15: "~", 16: "±", 17: "≠", 18: "P", 19: "±", 20: "",
        }  # fmt: skip


async def test_enter_goes_from_a_line_to_its_op_and_back(open_app: Open, compared: Path) -> None:
    async with open_app(compared).run_test(size=(160, 45)) as pilot:
        pane = await opened(pilot, "enter")
        assert pane.ops.has_focus
        assert "RandomUniform" in pane.ops.text_of(pane.ops.cursor)
        assert "The first op whose values really differ" in said(pane)
        await pilot.press("enter")
        assert pane.code.left.has_focus and pane.place() == ("/home/ada/mnist_eager.py", 17)


async def test_plumbing_is_folded_until_asked_for(open_app: Open, compared: Path) -> None:
    async with open_app(compared).run_test(size=(160, 45)) as pilot:
        pane = await opened(pilot, "x", "x")
        assert pane.ops.has_focus and len(pane.ops.rows) == len(OPS) - 1
        await pilot.press("U")
        assert len(pane.ops.rows) == len(OPS)


async def test_one_part_at_a_time_where_it_is_narrow(open_app: Open, compared: Path) -> None:
    async with open_app(compared).run_test(size=(80, 24)) as pilot:
        pane = await opened(pilot)
        shown = []
        for _ in range(5):
            shown.append([part.id for part in pane.stops if part.size.width and part.is_on_screen])
            await pilot.press("x")
            await pilot.pause(0.1)
        assert shown == [["left-side"], ["right-side"], ["cmp-ops"], ["cmp-values"], ["left-side"]]
        await pilot.press("x", "x")
        assert "real: at most 0.250 apart, relative 0.500, 4,194,304 ULP" in said(pane)
        await pilot.press("x", "enter", "enter")
        await pilot.pause(0.1)
        assert pane.code.left.has_focus and not pane.code.right.display


async def test_the_generated_lines_have_the_verdict_of_their_line(open_app: Open, compared: Path) -> None:
    async with open_app(compared).run_test(size=(160, 45)) as pilot:
        pane = await opened(pilot)
        left, right = pane.code.side(0), pane.code.side(1)
        assert {at + 13: mark.text for at, mark in left.marks.items()} == {
            15: "~ 2|2", 16: "± 1|0", 17: "≠ 1|1", 18: "P", 19: "± 2|3",
        }  # fmt: skip
        assert {at + 1: mark.text for at, mark in right.marks.items()} == {
            4: "~", 5: "±", 6: "≠", 7: "P", 8: "±",
        }  # fmt: skip
        await pilot.press("x")
        assert pane.code.right.has_focus and pane.code.right.line == 6 - 1
        assert "drawn once, while tracing" in said(pane) and pane.place() == ("/home/ada/mnist_eager.py", 17)
        await pilot.press("enter")
        assert pane.ops.has_focus and "RandomUniform" in pane.ops.text_of(pane.ops.cursor)


async def test_the_functions_and_their_code(open_app: Open, compared: Path) -> None:
    async with open_app(compared).run_test(size=(160, 45)) as pilot:
        pane = await opened(pilot, "F")
        assert pane.functions.has_focus and "!" in pane.functions.text_of(0)
        await pilot.press("down", "enter")
        assert pane.code.left.has_focus and "def train(epochs)" in pane.code.left.text_of(0)
        assert "Not converted" in pane.code.right.empty
        await pilot.press("x", "G", "enter")
        assert pane.place() == ("/home/ada/mnist_eager.py", 19), "the op's line is in the other function"
        await pilot.press("F", "escape")
        assert pane.code.left.has_focus


async def test_every_part_can_have_the_whole_screen(open_app: Open, compared: Path) -> None:
    async with open_app(compared).run_test(size=(160, 45)) as pilot:
        pane = await opened(pilot)
        for _ in range(4):
            focused = next(part for part in pane.stops if part.has_focus)
            await pilot.press("z")
            await pilot.pause(0.1)
            assert focused.size.width == 160 and focused.size.height > 35
            assert [part for part in pane.stops if part.is_on_screen and part.size.width] == [focused]
            await pilot.press("z")
            await pilot.pause(0.1)
            assert focused.size.width <= 80 and pane.story.display
            await pilot.press("x")


async def test_without_the_generated_source_it_says_how_to_get_it(open_app: Open, tmp_path: Path) -> None:
    path = with_comparison(tmp_path / "older.tape", code=False)
    async with open_app(path).run_test(size=(160, 45)) as pilot:
        pane = await opened(pilot)
        assert "def train_step" in pane.code.left.text_of(0)
        assert (
            "is not in this recording" in pane.code.right.empty
            and "tapeinspect diff -o" in pane.code.right.empty
        )
        await pilot.press("x")
        assert pane.ops.has_focus


async def test_xla_is_a_column_of_the_values(open_app: Open, compiled: Path) -> None:
    async with open_app(compiled).run_test(size=(160, 45)) as pilot:
        pane = await opened(pilot, "X")
        assert pane.values.has_focus and pane.values.note == "XLA: differs"
        assert pane.values.text_of(0).split() == ["output", "loss_value", "1", "real", "0.250", "bit-equal"]
        assert pane.values.text_of(2).split() == ["gradient", "dense/bias", "1", "bit-equal", "real", "0.250"]
        assert pane.values.text_of(4).split()[:4] == ["variable", "dense/bias", "2", "real"]
        await pilot.press("down", "down")
        assert (
            "the same to the last bit compiled by XLA, against the traced step real: at most 0.250"
            in said(pane)
        )


async def test_the_lines_of_dropped_checks_are_flagged(open_app: Open, compiled: Path) -> None:
    async with open_app(compiled).run_test(size=(160, 45)) as pilot:
        pane = await opened(pilot, "up")
        assert pane.code.side(0).flags[16 - 13].text == "i"
        assert "XLA drops this check, Assert" in said(pane)


async def test_what_cannot_be_compiled_is_told(open_app: Open, tmp_path: Path) -> None:
    path = with_comparison(tmp_path / "refused.tape", xla="not_compiled")
    async with open_app(path).run_test(size=(160, 45)) as pilot:
        pane = await opened(pilot, "up")
        assert "XLA cannot compile StringFormat" in said(pane)
        assert "XLA: cannot be compiled" in pane.values.note and "XLA" not in pane.values.text_of(0)


async def test_what_grappler_changed_stands_among_the_ops(open_app: Open, compiled: Path) -> None:
    async with open_app(compiled).run_test(size=(160, 45)) as pilot:
        pane = await opened(pilot, "O")
        rows = [pane.ops.text_of(i).split() for i in range(len(pane.ops.rows))]
        assert rows[2] == [":15", "Conv2D", "→", "_FusedConv2D", "Grappler", "fused"]
        assert rows[3] == [":15", "Relu", "→", "_FusedConv2D", "Grappler", "fused"]
        assert [":19", "Identity", "Grappler", "removed"] in rows and rows[-1][0] == "Const"
        assert pane.ops.has_focus and pane.ops.cursor == 2 and "conv in the graph" in said(pane)
        await pilot.press("O")
        assert len(pane.ops.rows) == len(rows) - 4


async def test_a_recording_without_xla_says_how_to_get_it(open_app: Open, compared: Path) -> None:
    async with open_app(compared).run_test(size=(160, 45)) as pilot:
        await opened(pilot, "X")
        assert "tapeinspect diff --xla -o FILE SCRIPT" in notices(pilot.app)
        await pilot.press("O")
        assert "tapeinspect diff --grappler -o FILE SCRIPT" in notices(pilot.app)


async def test_a_running_script_is_asked_for_xla_and_then_for_both(compared: Path) -> None:
    target = FakeTarget(compared)
    target.hold(AskWork)
    subject = Subject(compared, target, target.inbox)  # type: ignore[arg-type]
    subject.open()
    async with TapeApp(subject).run_test(size=(160, 45)) as pilot:
        target.say(Status("paused", "after batch 3"))
        pane = await opened(pilot)
        await pilot.press("]", "X")
        await pilot.pause(0.2)
        asked = lambda: [r.options for r in target.asked if isinstance(r, AskWork)]  # noqa: E731
        assert asked() == [{"xla": True}]
        assert ", with XLA … " in pane.code.left.note, "it says that it is running"
        await pilot.press("O")
        assert len(asked()) == 1 and "one at a time" in notices(pilot.app)
        target.answer(Answer(1, True, {}))
        await pilot.pause(0.2)
        await pilot.press("O")
        await pilot.pause(0.2)
        assert asked()[-1] == {"xla": True, "grappler": True}
        assert "with XLA and Grappler" in pane.code.left.note
        target.answer(Answer(2, False, {"message": "the step has gone"}))
        await pilot.pause(0.2)
        assert "the step has gone" in notices(pilot.app)


async def test_no_room_to_speak_of(open_app: Open, compared: Path) -> None:
    async with open_app(compared).run_test(size=(60, 16)) as pilot:
        pane = await opened(pilot)
        assert len(pane.code.left.rows)


async def test_where_nothing_differs_it_says_so_with_figures(open_app: Open, tmp_path: Path) -> None:
    path = with_comparison(tmp_path / "same.tape", "same", findings=False)
    async with open_app(path).run_test(size=(160, 45)) as pilot:
        pane = await opened(pilot)
        pane.code.left.move_to(1)
        await pilot.pause()
        assert "Nothing differs" in said(pane)
        assert "2 gradients: 1 bit-equal, 1 rounding" in said(pane)
        assert "5.0×" in said(pane) and "pays off from batch 20" in said(pane)
        assert "memory: eager up to 201 MB, traced up to 67.1 MB (33% of it)" in said(pane)


async def test_a_step_that_cannot_be_traced_has_no_ops(open_app: Open, fails: Path) -> None:
    async with open_app(fails).run_test(size=(160, 45)) as pilot:
        pane = await opened(pilot)
        assert "FAILS TO TRACE" in pane.code.left.note
        assert pane.place() == ("/home/ada/mnist_eager.py", 17)
        assert "def tf__train_step" in "\n".join(
            pane.code.right.text_of(i) for i in range(len(pane.code.right.rows))
        )
        assert "There is no graph to compare with" in pane.ops.empty


async def test_a_recording_without_a_comparison_says_how_to_get_one(open_app: Open, plain: Path) -> None:
    async with open_app(plain).run_test(size=(80, 24)) as pilot:
        pane = await opened(pilot)
        assert "tapeinspect diff mnist_eager.py" in pane.code.left.empty


async def test_the_autograph_tab_asks_for_what_a_comparison_does_not_look_for(compared: Path) -> None:
    target = FakeTarget(compared)
    target.hold(AskWork)
    subject = Subject(compared, target, target.inbox)  # type: ignore[arg-type]
    subject.open()
    async with TapeApp(subject).run_test(size=(160, 45)) as pilot:
        target.say(Status("paused", "after batch 3"))
        await pilot.press("]", "4")
        await pilot.pause(0.3)
        assert [(r.work, r.step) for r in target.asked if isinstance(r, AskWork)] == [("tracing", 2)]
        target.answer(Answer(1, True, {}))
        await pilot.pause(0.8)
        assert len([r for r in target.asked if isinstance(r, AskWork)]) == 1, "it asks once"


class Asked:
    """A script that answers one question: it cannot."""

    pid, exit_status = 1, None

    def __init__(self, trace: Path) -> None:
        self.trace = trace
        self.works: list[str] = []

    def ask(self, request: object) -> Future[Answer]:
        future: Future[Answer] = Future()
        if not isinstance(request, AskWork):
            future.set_result(Answer(1, False, {"message": "gone"}))
            return future
        self.works.append(request.work)
        body = {"message": "the step stands in a loop of its own", "hint": "put it into a function"}
        future.set_result(Answer(1, False, body))
        return future

    def send(self, message: object) -> None: ...

    def resize(self, columns: int, rows: int) -> None: ...

    def end(self, grace: float = 2.0) -> None: ...


async def test_a_running_script_is_asked_and_its_refusal_is_told(plain: Path) -> None:
    target = Asked(plain)
    subject = Subject(plain, target)  # type: ignore[arg-type]
    subject.open()
    async with TapeApp(subject).run_test(size=(100, 30)) as pilot:
        pane = await opened(pilot)
        await pilot.app.workers.wait_for_complete()
        await pilot.pause(0.1)
        assert target.works == ["diff"]
        assert pane.code.left.empty.splitlines()[:2] == [
            "the step stands in a loop of its own",
            "put it into a function",
        ]


async def test_the_nearest_batch_that_is_kept_is_asked_for(plain: Path) -> None:
    asked: list[int | None] = []

    class Kept(Asked):
        def ask(self, request: object) -> Future[Answer]:
            future: Future[Answer] = Future()
            assert isinstance(request, AskWork)
            asked.append(request.step)
            kept = request.step == 2
            future.set_result(Answer(1, kept, {} if kept else {"message": "gone", "batches": [1, 2]}))
            return future

    subject = Subject(plain, Kept(plain))  # type: ignore[arg-type]
    subject.open()
    asking = Asking(subject, DIFF)
    assert await asking.ask(3)
    assert (asked, asking.step, asking.trouble) == ([3, 2], 2, "")


def test_the_function_that_holds_a_line() -> None:
    source = "import x\n\n@x.y\ndef f():\n    def g():\n        return 1\n    return g\n\nb = lambda: 2\n"
    assert extent(source, 3) == extent(source, 4) == extent(source, 7) == (3, 7)
    assert extent(source, 6) == (5, 6)
    assert extent(source, 9) == (9, 9)
    assert extent(source, 1) == (1, 10)
    assert extent("def f(:\n", 1) == (1, 2)


async def test_a_comparison_without_source(open_app: Open, compared: Path, tmp_path: Path) -> None:
    path = tmp_path / "run.tape"
    shutil.copy(compared, path)
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE file SET source = NULL")
        connection.execute("UPDATE ag_function SET source = NULL, generated = NULL")
    connection.close()
    async with open_app(path).run_test(size=(160, 45)) as pilot:
        pane = await opened(pilot)
        assert "The source of train_step is not in the recording" in pane.code.left.empty
        assert len(pane.ops.rows)


async def test_the_code_is_shown_while_the_rest_is_still_compared(plain: Path, tmp_path: Path) -> None:
    path = tmp_path / "run.tape"
    shutil.copy(plain, path)
    target = FakeTarget(path)
    target.hold(AskWork)
    subject = Subject(path, target, target.inbox)  # type: ignore[arg-type]
    subject.open()
    async with TapeApp(subject).run_test(size=(160, 45)) as pilot:
        target.say(Status("paused", "after batch 3", step=3))
        await pilot.press("[")
        pane = await opened(pilot)
        assert pane.asking.open and pane.asking.step == 2 and "Running the step" in pane.code.left.empty
        tables = generated("different")
        del tables["diff_code"]
        with sqlite3.connect(path) as connection:
            for table, rows in tables.items():
                marks = ",".join("?" * len(rows[0]))
                connection.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)
        connection.close()
        target.say(Doing("diff", "op by op"))
        await pilot.pause(0.8)
        assert pane.code.side(0).source.startswith("def train_step(images, labels):")
        assert pane.code.side(1).source.startswith("def tf__train_step(")
        assert pane.code.left.code is not None and pane.code.left.is_on_screen
        assert "being compared: op by op" in pane.code.note and not pane.has_content
        target.answer(Answer(1, False, {"message": "the step fails"}))
        await pilot.pause(0.8)
        assert pane.code.left.empty.startswith("the step fails")


async def test_a_library_s_own_step_is_shown_by_the_line_that_calls_it(
    open_app: Open, compared: Path, tmp_path: Path
) -> None:
    path = tmp_path / "run.tape"
    shutil.copy(compared, path)
    with sqlite3.connect(path) as connection:
        connection.execute("INSERT INTO file VALUES (90, '/lib/keras/trainer.py', 'library', NULL)")
        connection.execute("UPDATE diff SET file = 90, line = 60, function = 'Trainer.train_step'")
        connection.execute("DELETE FROM diff_finding")
        connection.execute("DELETE FROM diff_code")
    connection.close()
    async with open_app(path).run_test(size=(160, 45)) as pilot:
        pane = await opened(pilot)
        assert pane.place() == ("/home/ada/mnist_eager.py", 15)


async def test_enter_on_a_line_goes_to_what_it_calls(open_app: Open, compared: Path) -> None:
    async with open_app(compared).run_test(size=(160, 45)) as pilot:
        pane = await opened(pilot)
        assert pane.go_to("/home/ada/mnist_eager.py", 26)
        assert pane.code.side(0).marks[26 - pane.shown.first].text == "↓≠"
        assert "line 17, which is called here: differs in value" in said(pane)
        await pilot.press("enter")
        await pilot.pause(0.1)
        assert pane.place() == ("/home/ada/mnist_eager.py", 17)
