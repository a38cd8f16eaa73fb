"""The Diff tab on recorded comparisons."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path

import pytest
from textual.pilot import Pilot

from tapeinspect.link.messages import Answer, AskWork
from tapeinspect.ui.app import TapeApp
from tapeinspect.ui.panes.asking import DIFF, Asking
from tapeinspect.ui.panes.diff import DiffPane
from tapeinspect.ui.panes.diff_page import extent, make_page
from tapeinspect.ui.subject import Subject
from tests.ui.build_diff import OPS, with_comparison

Open = Callable[[Path], TapeApp]


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A comparison that found differences."""
    return with_comparison(tmp_path_factory.mktemp("diff") / "different.tape")


@pytest.fixture(scope="module")
def fails(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A step that cannot be traced."""
    return with_comparison(tmp_path_factory.mktemp("diff") / "fails.tape", "fails_to_trace", ops=False)


async def opened(pilot: Pilot[int], *keys: str) -> DiffPane:
    """The tab, after some keys."""
    await pilot.press("5", *keys)
    await pilot.pause(0.1)
    return pilot.app.query_one(DiffPane)


def said(pane: DiffPane) -> str:
    """The story below the lists, on one line."""
    story = pane.story
    return " ".join(" ".join(story.text_of(i) for i in range(len(story.rows))).split())


@pytest.mark.parametrize("size", [(80, 24), (160, 45)], ids=["80x24", "160x45"])
def test_how_it_looks(
    snap_compare: Callable[..., bool], open_app: Open, compared: Path, size: tuple[int, int]
) -> None:
    assert snap_compare(open_app(compared), terminal_size=size, press=["5"])


def test_how_a_step_that_cannot_be_traced_looks(
    snap_compare: Callable[..., bool], open_app: Open, fails: Path
) -> None:
    assert snap_compare(open_app(fails), terminal_size=(80, 24), press=["5"])


async def test_it_opens_on_the_line_that_matters(open_app: Open, compared: Path) -> None:
    async with open_app(compared).run_test(size=(160, 45)) as pilot:
        pane = await opened(pilot)
        assert "DIFFERENT · batch 2" in pane.code.title
        assert pane.code.text_of(pane.code.cursor).split()[0] == "≠"
        assert "drawn once, while tracing" in said(pane)
        assert "use tf.random.uniform([])" in said(pane)


async def test_marks_of_the_lines(open_app: Open, compared: Path) -> None:
    async with open_app(compared).run_test(size=(160, 45)) as pilot:
        page = (await opened(pilot)).page
        assert page is not None
        assert {line: page.mark(line) for line in range(13, 21)} == {
            13: "", 14: "", 15: "~", 16: "±", 17: "≠", 18: "P", 19: "±", 20: "",
        }  # fmt: skip


async def test_enter_goes_from_a_line_to_its_op_and_back(open_app: Open, compared: Path) -> None:
    async with open_app(compared).run_test(size=(160, 45)) as pilot:
        pane = await opened(pilot, "enter")
        assert pane.ops.has_focus
        assert "RandomUniform" in pane.ops.text_of(pane.ops.cursor)
        assert "The first op whose values really differ" in said(pane)
        await pilot.press("enter")
        assert pane.code.has_focus and pane.place() == ("/home/ada/mnist_eager.py", 17)


async def test_plumbing_is_folded_until_asked_for(open_app: Open, compared: Path) -> None:
    async with open_app(compared).run_test(size=(160, 45)) as pilot:
        pane = await opened(pilot)
        assert len(pane.ops.rows) == len(OPS) - 1
        await pilot.press("U")
        assert len(pane.ops.rows) == len(OPS)


async def test_one_list_at_a_time_where_it_is_narrow(open_app: Open, compared: Path) -> None:
    async with open_app(compared).run_test(size=(80, 24)) as pilot:
        pane = await opened(pilot)
        shown = []
        for _ in range(4):
            shown.append([part.id for part in pane.lists if part.display])
            await pilot.press("x")
            await pilot.pause()
        assert shown == [["diff-code"], ["diff-ops"], ["diff-values"], ["diff-code"]]
        await pilot.press("x")
        assert "real: at most 0.250 apart, relative 0.500, 4,194,304 ULP" in said(pane)


async def test_no_room_to_speak_of(open_app: Open, compared: Path) -> None:
    async with open_app(compared).run_test(size=(60, 16)) as pilot:
        pane = await opened(pilot)
        assert len(pane.code.rows)


async def test_where_nothing_differs_it_says_so_with_figures(open_app: Open, tmp_path: Path) -> None:
    path = with_comparison(tmp_path / "same.tape", "same", findings=False)
    async with open_app(path).run_test(size=(160, 45)) as pilot:
        pane = await opened(pilot)
        pane.code.move_to(1)
        await pilot.pause()
        assert "Nothing differs" in said(pane)
        assert "2 gradients: 1 bit-equal, 1 rounding" in said(pane)
        assert "5.0×" in said(pane) and "pays off from batch 20" in said(pane)


async def test_a_step_that_cannot_be_traced_has_no_ops(open_app: Open, fails: Path) -> None:
    async with open_app(fails).run_test(size=(160, 45)) as pilot:
        pane = await opened(pilot)
        assert "FAILS TO TRACE" in pane.code.title
        assert pane.code.text_of(pane.code.cursor).split()[0] == "✗"
        assert "There is no graph to compare with" in pane.ops.empty


async def test_a_recording_without_a_comparison_says_how_to_get_one(open_app: Open, plain: Path) -> None:
    async with open_app(plain).run_test(size=(80, 24)) as pilot:
        pane = await opened(pilot)
        assert "tapeinspect diff mnist_eager.py" in pane.code.empty


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
        assert pane.code.empty.splitlines()[:2] == [
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


def test_the_function_that_begins_at_a_line() -> None:
    source = "import x\n\n@x.y\ndef f():\n    a = 1\n\n    return a\n\nb = 2\n"
    assert extent(source, 3) == extent(source, 4) == (3, 7)
    assert extent(source, 1) == (1, 10)
    assert extent("def f(:\n", 1) == (1, 2)


def test_a_comparison_without_source(compared: Path, tmp_path: Path) -> None:
    import shutil
    import sqlite3

    path = tmp_path / "run.tape"
    shutil.copy(compared, path)
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE file SET source = NULL")
    connection.close()
    subject = Subject(path)
    subject.open()
    assert subject.reader is not None
    assert make_page(subject.reader, subject.reader.differences.all()[0]).source == ""
