"""The two sides of the Tape tab: the same op is selected on both, and what is missing is said."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import cast

import pytest

from tapeinspect.analysis.flow import gradient_passes
from tapeinspect.trace.reader import open_trace
from tapeinspect.ui.app import TapeApp
from tapeinspect.ui.palette import DARK, palette_for
from tapeinspect.ui.panes.backward import TapeTab
from tapeinspect.ui.panes.backward_rows import BackwardRows, Reach, TakenBack
from tapeinspect.ui.panes.tape_story import OpItem

Open = Callable[[Path], TapeApp]
WIDE, NARROW = (130, 36), (80, 24)


def tab(app: TapeApp) -> TapeTab:
    """The content of tab 2."""
    return cast(TapeTab, app.main.pane(2))


def selected(pane: TapeTab) -> tuple[int | None, int | None]:
    """(op at the left, op at the right) under the cursors."""
    left, right = pane.tape.item, pane.backward.item
    return left.op if isinstance(left, OpItem) else None, right.call.op if isinstance(
        right, TakenBack
    ) else None


async def test_selecting_an_op_selects_it_on_the_other_side(open_app: Open, plain: Path) -> None:
    app = open_app(plain)
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("2", *["down"] * 6)
        pane = tab(app)
        assert selected(pane) == (4, 4)
        await pilot.press("x")
        assert pane.backward.has_focus
        await pilot.press("x")
        assert pane.tape.has_focus and selected(pane) == (4, 4)
        await pilot.press("tab")
        assert pane.backward.has_focus
        await pilot.press("down")
        assert selected(pane) == (3, 3)
        await pilot.press("home", "down")
        assert selected(pane) == (17, 17)


async def test_enter_goes_from_either_side_to_the_op(open_app: Open, plain: Path) -> None:
    app = open_app(plain)
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("2", "tab", "down", "down", "enter")
        await pilot.pause()
        assert app.main.tab == 1
        assert app.main.trace_pane.detail.op is not None
        assert app.main.trace_pane.detail.op.row.id == 16  # it ran no op of its own: the forward op is shown


async def test_an_op_that_no_gradient_reached_says_why(open_app: Open, plain: Path) -> None:
    app = open_app(plain)
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("2")
        pane = tab(app)
        pane.tape.move_to(pane.tape.index_of(11) or 0)
        await pilot.pause()
        assert "bool has no gradient" in pane.tape.copy_text()
        assert "bool has no gradient" in pane.backward.note
        pane.tape.move_to(pane.tape.index_of(7) or 0)
        await pilot.pause()
        assert "Σ" in pane.tape.copy_text()
        assert "no gradient" not in pane.backward.note


async def test_one_above_the_other_where_it_is_narrow_and_zoom_gives_all_the_room(
    open_app: Open, plain: Path
) -> None:
    app = open_app(plain)
    async with app.run_test(size=NARROW) as pilot:
        await pilot.press("2")
        pane = tab(app)
        assert pane.backward.region.y > pane.tape.region.y and pane.backward.size.height >= 5
        await pilot.press("tab", "z")
        await pilot.pause()
        assert not pane.tape.display or pane.tape.size.height == 0
        assert pane.backward.size.height > 12
        await pilot.press("z")
        await pilot.pause()
        assert pane.tape.size.height > 5
        await pilot.resize_terminal(60, 16)
        await pilot.pause()
        assert pane.tape.size.height > 3


async def test_a_recording_without_the_backward_pass_says_so(
    open_app: Open, plain: Path, tmp_path: Path
) -> None:
    old = tmp_path / "old.tape"
    with sqlite3.connect(plain) as source, sqlite3.connect(old) as copy:
        source.backup(copy)
        copy.execute("DROP TABLE backward")
        copy.execute("DROP TABLE gradient_sum")
    app = open_app(old)
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("2")
        pane = tab(app)
        assert "does not tell how gradients flowed" in pane.backward.empty
        assert len(pane.tape.rows) > 10
        assert "∅" not in pane.tape.text_of(pane.tape.index_of(11) or 0)


@pytest.mark.parametrize("width", [52, 60, 72, 80, 100])
def test_the_figures_of_the_way_back_stand_below_each_other_and_are_whole(plain: Path, width: int) -> None:
    reader = open_trace(plain)
    rows = BackwardRows(Reach(gradient_passes(reader, 1)))
    palette = palette_for(DARK)
    lines = ["".join(text for text, _ in rows.line(i, width, palette)) for i in range(1, len(rows))]
    reader.close()
    assert len({line.index("→") for line in lines}) == 1
    assert max(map(len, lines)) <= width
