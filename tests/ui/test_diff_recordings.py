"""The Diff tab on two recordings."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from textual.pilot import Pilot

from tapeinspect.ui.app import TapeApp
from tapeinspect.ui.panes.recordings import RecordingsPane
from tapeinspect.ui.subject import Subject
from tests.ui.build_recordings import pair
from tests.ui.text import line_with
from tests.ui.text import said as notices

WIDE = (160, 45)


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A run, and that of the edited script."""
    return pair(tmp_path_factory.mktemp("two"))


def app_on(first: Path, second: Path) -> TapeApp:
    """The screen as `tapeinspect open A B` shows it."""
    subject = Subject(first)
    subject.open()
    subject.open_other(second)
    return TapeApp(subject)


async def opened(pilot: Pilot[int], *keys: str) -> RecordingsPane:
    """The tab, after some keys, when all batches have been compared."""
    await pilot.press("5", *keys)
    await pilot.app.workers.wait_for_complete()
    await pilot.pause(0.2)
    return pilot.app.query_one(RecordingsPane)


def told(pane: RecordingsPane) -> str:
    """The story below the lists, on one line."""
    story = pane.story
    return " ".join(" ".join(story.text_of(i) for i in range(len(story.rows))).split())


async def at_rest(pilot: Pilot[int]) -> None:
    """Wait until the batches are compared and the colours are there."""
    await pilot.pause(0.5)
    await pilot.app.workers.wait_for_complete()
    await pilot.pause()


@pytest.mark.parametrize("size", [(80, 24), WIDE], ids=["80x24", "160x45"])
def test_how_it_looks(
    snap_compare: Callable[..., bool], two: tuple[Path, Path], size: tuple[int, int]
) -> None:
    assert snap_compare(app_on(*two), terminal_size=size, press=["]", "]", "]", "5"], run_before=at_rest)


async def test_the_first_differences_of_the_run(two: tuple[Path, Path]) -> None:
    async with app_on(*two).run_test(size=WIDE) as pilot:
        pane = await opened(pilot)
        rows = [" ".join(pane.values.text_of(i).split()) for i in range(4)]
        assert rows[:3] == ["first in ops batch 5", "first in values batch 4", "first in gradients batch 5"]
        assert "THE SAME · batch 1" in pane.code.left.note
        assert "tensorflow 2.21.0 | 2.20.0" in told(pane) and "batches 6 | 7" in told(pane)
        assert "mnist_eager.py: 3 lines of the source differ" in told(pane)


async def test_enter_on_a_first_difference_views_its_batch(two: tuple[Path, Path]) -> None:
    async with app_on(*two).run_test(size=WIDE) as pilot:
        pane = await opened(pilot, "x", "x", "x", "down", "enter")
        await pilot.pause(0.1)
        assert line_with(pilot.app, "▲ batch 4") and "DIFFERENT · batch 4" in pane.code.left.note
        assert "1 differ" in pane.ops.note


async def test_lines_stand_beside_each_other_across_the_edit(two: tuple[Path, Path]) -> None:
    async with app_on(*two).run_test(size=WIDE) as pilot:
        pane = await opened(pilot, "]", "]", "]")
        left, right = pane.code.side(0), pane.code.side(1)
        assert (left.first, right.first) == (13, 15)
        assert left.marks[17 - 13].text == "≠ 5" and right.marks[19 - 15].text == "≠ 5"
        assert set(left.flags) == {18 - 13} and set(right.flags) == {20 - 15}
        assert pane.place() == ("/home/ada/mnist_eager.py", 17), "it opens on the line that differs"
        assert "≠ other figures 5 ops in the first recording Sum differs" in told(pane)
        await pilot.press("x")
        assert pane.place() == ("/home/ada/mnist_eager.py", 19)


async def test_from_a_line_to_its_op_and_back(two: tuple[Path, Path]) -> None:
    async with app_on(*two).run_test(size=WIDE) as pilot:
        pane = await opened(pilot, "]", "]", "]", "enter")
        assert pane.ops.has_focus and pane.ops.text_of(pane.ops.cursor).split()[:3] == [
            ":17",
            "Sum",
            "differs",
        ]
        assert "0.33 apart" in told(pane)
        await pilot.press("enter")
        assert pane.code.left.has_focus and pane.place() == ("/home/ada/mnist_eager.py", 17)


async def test_an_op_that_only_one_recording_ran(two: tuple[Path, Path]) -> None:
    async with app_on(*two).run_test(size=WIDE) as pilot:
        pane = await opened(pilot, "]", "]", "]", "]", "x", "x", "U")
        assert "1 only first, 1 only second" in pane.ops.note
        rows = [pane.ops.text_of(i) for i in range(len(pane.ops.rows))]
        assert [row.split() for row in rows] == [
            [":16", "Equal", "only", "in", "first"], [":18", "Relu", "only", "in", "second"],
        ]  # fmt: skip
        assert pane.code.side(0).marks[16 - 13].text == "± 2"
        values = [" ".join(pane.values.text_of(i).split()) for i in range(len(pane.values.rows))]
        assert any(row.startswith("gradient dense/bias differs") for row in values)


async def test_a_batch_that_the_other_has_not(two: tuple[Path, Path]) -> None:
    async with app_on(two[1], two[0]).run_test(size=WIDE) as pilot:
        pane = await opened(pilot, "L")
        assert pane.code.left.empty.splitlines() == [
            "There is no batch 7 to compare with",
            "a.tape has 6 batches",
        ]
        await pilot.press("[")
        await pilot.pause(0.1)
        assert "batch 6" in pane.code.left.note


async def test_nothing_runs_for_two_recordings(two: tuple[Path, Path]) -> None:
    async with app_on(*two).run_test(size=WIDE) as pilot:
        await opened(pilot, "X")
        assert "nothing runs" in notices(pilot.app)
        await pilot.press("r", "F", "z", "z", "S", "v", "y")
        await pilot.pause(0.1)


async def test_without_sources_the_ops_are_compared_all_the_same(
    two: tuple[Path, Path], tmp_path: Path
) -> None:
    import shutil
    import sqlite3

    paths = [Path(shutil.copy(path, tmp_path)) for path in two]
    for path in paths:
        with sqlite3.connect(path) as connection:
            connection.execute("UPDATE file SET source = NULL")
        connection.close()
    async with app_on(*paths).run_test(size=(80, 24)) as pilot:
        pane = await opened(pilot)
        assert "The source is not in the recordings" in pane.code.left.empty
        await pilot.press("x")
        assert pane.ops.has_focus and len(pane.ops.rows)
