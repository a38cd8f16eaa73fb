"""Lists: what does not fit, and what is kept of it."""

from __future__ import annotations

import pytest
from textual.app import App, ComposeResult

from tapeinspect.ui.palette import DARK
from tapeinspect.ui.widgets.line_list import LineList, TextRows
from tapeinspect.ui.widgets.side_by_side import Side, SideBySide


class Both(App[None]):
    """Two sources on a screen, shown before it is known how much room there is."""

    def __init__(self, left: Side, right: Side) -> None:
        super().__init__()
        self.register_theme(DARK)
        self.theme = DARK.name
        self.both = SideBySide()
        self.both.display = False
        self.sides = (left, right)

    def compose(self) -> ComposeResult:
        yield self.both

    def on_mount(self) -> None:
        self.both.show(*self.sides, [])
        self.both.display = True


@pytest.mark.parametrize(("width", "shown"), [(80, [True, False]), (160, [True, True])])
async def test_one_source_at_a_time_where_it_is_narrow_also_when_there_is_none(
    width: int, shown: list[bool]
) -> None:
    app = Both(Side("train.py", "", empty="No source"), Side("Generated", "", empty="Not converted"))
    async with app.run_test(size=(width, 24)) as pilot:
        await pilot.pause(0.2)
        assert [part.display for part in app.both.lists] == shown


class Shown(App[None]):
    """One list on a screen."""

    def __init__(self, *lines: str) -> None:
        super().__init__()
        self.register_theme(DARK)
        self.theme = DARK.name
        self.list = LineList(title="Lines")
        self.lines = lines

    def compose(self) -> ComposeResult:
        yield self.list

    def on_mount(self) -> None:
        self.list.show(TextRows([[(line, None)] for line in self.lines]))


async def painted(*lines: str) -> list[str]:
    """The rows on a screen of 20 columns, of which the last is the scrollbar's."""
    app = Shown(*lines)
    async with app.run_test(size=(20, 8)) as pilot:
        await pilot.pause()
        return [app.list.render_line(1 + i).text for i in range(len(lines))]


async def test_a_row_that_is_cut_says_so() -> None:
    assert await painted("norm 0.03125 0.7226", "norm 0.03125 0.72261") == [
        "norm 0.03125 0.7226",
        "norm 0.03125 0.722…",
    ]


async def test_blanks_that_do_not_fit_are_no_loss() -> None:
    assert await painted("norm 0.03125" + " " * 30) == ["norm 0.03125       "]


async def test_a_wide_character_is_not_cut_in_two() -> None:
    (row,) = await painted("損失" * 10)
    assert row == "損失損失損失損失損…"
