"""The screen over time: curves, heat map, distributions, comparisons."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from textual.pilot import Pilot

from tapeinspect.trace.series import FIGURES
from tapeinspect.ui.app import TapeApp
from tapeinspect.ui.format import number
from tapeinspect.ui.over_time.data import curves, distribution, share
from tapeinspect.ui.over_time.heat import HeatRows
from tapeinspect.ui.over_time.plot import _levels
from tapeinspect.ui.over_time.screen import OverTimeScreen
from tests.ui.build import recording
from tests.ui.text import screen_text

Open = Callable[[Path], TapeApp]


async def opened(pilot: Pilot[int], *keys: str) -> OverTimeScreen:
    """The screen, with its figures."""
    await pilot.press("3", "t")
    await pilot.pause(0.1)
    await pilot.app.workers.wait_for_complete()
    await pilot.press(*keys)
    await pilot.pause(0.1)
    await pilot.app.workers.wait_for_complete()
    await pilot.pause()
    assert isinstance(pilot.app.screen, OverTimeScreen)
    return pilot.app.screen


def text(screen: OverTimeScreen, row: int) -> str:
    return screen.list.text_of(row)


@pytest.mark.parametrize("size", [(80, 24), (160, 45)], ids=["80x24", "160x45"])
def test_how_it_looks(
    snap_compare: Callable[..., bool], open_app: Open, nan: Path, size: tuple[int, int]
) -> None:
    async def at_rest(pilot: Pilot[int]) -> None:
        await opened(pilot, "down", "x", "down", "right", "b", "right", "right")

    assert snap_compare(open_app(nan), terminal_size=size, run_before=at_rest)


def test_how_magnitudes_look(snap_compare: Callable[..., bool], open_app: Open, nan: Path) -> None:
    async def at_rest(pilot: Pilot[int]) -> None:
        await opened(pilot, "m")

    assert snap_compare(open_app(nan), terminal_size=(80, 24), run_before=at_rest)


async def test_the_variable_of_the_table_is_the_one_drawn(open_app: Open, plain: Path) -> None:
    async with open_app(plain).run_test(size=(100, 30)) as pilot:
        await pilot.press("3", "down", "down")
        screen = await opened(pilot)
        assert screen.variable is not None
        assert screen.variable.name == "dense/kernel"


async def test_f_goes_through_the_figures(open_app: Open, plain: Path) -> None:
    async with open_app(plain).run_test(size=(100, 30)) as pilot:
        screen = await opened(pilot, "f")
        assert screen.list.title.startswith("largest |gradient|")
        assert "0.310" in text(screen, 0)


async def test_batches_are_compared(open_app: Open, plain: Path) -> None:
    async with open_app(plain).run_test(size=(120, 30)) as pilot:
        screen = await opened(pilot, "b", "right")
        reader = screen.subject.reader
        assert reader is not None
        first, second = (reader.gradients(step)[0].norm for step in (1, 2))
        assert first is not None and second is not None
        assert text(screen, 0).split()[-1] == f"{second / first:.3g}×"


async def test_recordings_are_compared(open_app: Open, plain: Path, tmp_path: Path) -> None:
    app = open_app(plain)
    app.subject.open_other(recording(tmp_path / "other.tape", batches=5))
    async with app.run_test(size=(120, 30)) as pilot:
        screen = await opened(pilot)
        assert screen.list.note == "other run: other.tape"
        assert text(screen, 0).split()[-1] == text(screen, 0).split()[-2]


async def test_enter_views_the_batch(open_app: Open, plain: Path) -> None:
    app = open_app(plain)
    async with app.run_test(size=(100, 30)) as pilot:
        await opened(pilot, "right")
        await pilot.press("enter")
        await pilot.pause()
        assert app.screen is app.main
        assert app.main.viewed == 2


async def test_every_figure_can_be_drawn(open_app: Open, nan: Path) -> None:
    async with open_app(nan).run_test(size=(100, 30)) as pilot:
        screen = await opened(pilot)
        for figure in (*FIGURES[1:], FIGURES[0]):
            await pilot.press("f")
            await pilot.pause(0.1)
            await pilot.app.workers.wait_for_complete()
            await pilot.pause()
            assert screen.list.title.startswith(figure.title)


async def test_an_update_without_figures_says_so(open_app: Open, plain: Path) -> None:
    async with open_app(plain).run_test(size=(60, 16)) as pilot:
        screen = await opened(pilot, "F", "F", "F", "F")
        assert "No variable was changed" in screen.list.empty


def test_many_batches_share_a_cell(nan: Path) -> None:
    from tapeinspect.trace.reader import open_trace

    found = curves(open_trace(nan), FIGURES[0], 10)
    assert (found.per, found.cells) == (4, 10)
    point = found.at(1, 31)
    assert point is not None and point.bad and point.step == 29
    rows = HeatRows(found, 1)
    assert rows.room(80) >= 10


def test_shares() -> None:
    assert share(10, 1, 100, True) == pytest.approx(0.5)
    assert share(0, 1, 100, True) == 0
    assert share(5, 0, 20, False) == 0.25
    assert share(3, 3, 3, False) == 0.5


def test_a_distribution_keeps_the_newest_batch(nan: Path) -> None:
    from tapeinspect.trace.reader import open_trace

    found = distribution(open_trace(nan).series.magnitudes(1, "gradient"), 4)
    assert found is not None
    assert len(found.columns) <= 4
    assert found.columns[-1].step == 40
    assert sum(found.share(0, k, k) for k in range(found.bottom, found.top + 1)) < 1
    assert distribution([], 10) is None


def test_the_axis_has_short_figures_from_the_lowest_to_the_highest() -> None:
    levels = _levels(2.5e-35, 4e-30, True, 5)
    assert levels[0] == 2.5e-35 and levels[-1] == pytest.approx(4e-30) and levels == sorted(levels)
    assert max(len(number(level, 3)) for level in levels) <= 7
    assert _levels(0.5, 0.5, True, 5) == [0.5]
    assert _levels(0.0, 1.0, False, 3) == [0.0, 0.5, 1.0]


async def test_a_single_batch_is_drawn_with_its_own_value_on_the_axis(open_app: Open, tmp_path: Path) -> None:
    async with open_app(recording(tmp_path / "one.tape", batches=1)).run_test(size=(80, 24)) as pilot:
        screen = await opened(pilot)
        norm = number(screen.curves.at(screen.variable.id, 1).value, 3)
        axis = [line for line in screen_text(pilot.app).split("\n") if "┤" in line]
        assert len(axis) == 1 and axis[0].strip().startswith(norm)


async def test_comparing_two_batches_leaves_no_batch_out(open_app: Open, nan: Path) -> None:
    """The figures of the second batch take room from the cells."""
    async with open_app(nan).run_test(size=(80, 24)) as pilot:
        screen = await opened(pilot)
        for _ in range(2):
            rows = screen.list.rows
            assert screen.curves.cells <= rows.room(screen.list.inner_width)
            await pilot.press("b")
            await pilot.pause(0.3)
