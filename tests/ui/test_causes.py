"""The cards that say why a gradient is None and where a NaN came from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from textual.pilot import Pilot

from tapeinspect.ui.app import TapeApp
from tapeinspect.ui.screens.cause import CauseScreen
from tests.ui.text import said, screen_text

Open = Callable[[Path], TapeApp]
WIDE = (120, 36)


def card(app: TapeApp) -> str:
    """The text of the card that is open."""
    screen = app.screen
    assert isinstance(screen, CauseScreen) and screen.card is not None
    return screen.card.copied()


async def test_the_gradients_tab_says_why_a_gradient_is_none(open_app: Open, failed: Path) -> None:
    async with open_app(failed).run_test(size=WIDE) as pilot:
        await pilot.press("3", "G")
        await pilot.pause()
        shown = screen_text(pilot.app)
        assert "why there is no gradient" in shown and "W says more" in shown
        await pilot.press("enter")
        await pilot.pause()
        row = pilot.app.main.pane(3).table.row
        assert row.reason.message in " ".join(card(pilot.app).split())
        await pilot.press("escape", "W")
        await pilot.pause()
        assert row.reason.hint in " ".join(card(pilot.app).split())


async def test_n_goes_to_the_origin_and_its_card_leads_on(open_app: Open, nan: Path) -> None:
    async with open_app(nan).run_test(size=WIDE) as pilot:
        app = pilot.app
        await pilot.press("3", "N")
        await pilot.pause()
        assert (app.main.tab, app.main.viewed) == (1, 31)
        first = app.main.trace_pane.ops.op
        assert first.bad and first.type in card(app)
        assert "how it reaches the loss" in card(app)
        screen = app.screen
        last = max(index for index, op in enumerate(screen.card.ops) if op is not None)
        target = screen.card.ops[last]
        screen.list.move_to(last)
        await pilot.press("enter")
        await pilot.pause(0.2)
        assert app.screen is app.main
        assert app.main.trace_pane.ops.op.id == target


async def test_nothing_to_explain_is_said(open_app: Open, plain: Path) -> None:
    async with open_app(plain).run_test(size=WIDE) as pilot:
        await pilot.press("3", "W")
        await pilot.pause()
        assert pilot.app.screen is pilot.app.main
        assert "Select a gradient that is None" in said(pilot.app)


async def at_rest(pilot: Pilot[int]) -> None:
    """Wait until what is below the card is painted."""
    await pilot.pause(0.5)
    await pilot.app.workers.wait_for_complete()
    await pilot.pause()


@pytest.mark.parametrize("size", [(80, 24), (120, 36)], ids=["80x24", "120x36"])
def test_the_card_of_a_none(
    snap_compare: Callable[..., bool], open_app: Open, failed: Path, size: tuple[int, int]
) -> None:
    assert snap_compare(open_app(failed), terminal_size=size, press=["3", "G", "W"], run_before=at_rest)


@pytest.mark.parametrize("size", [(80, 24), (120, 36)], ids=["80x24", "120x36"])
def test_the_card_of_a_nan(
    snap_compare: Callable[..., bool], open_app: Open, nan: Path, size: tuple[int, int]
) -> None:
    assert snap_compare(open_app(nan), terminal_size=size, press=["N"], run_before=at_rest)


async def test_a_card_fits_a_small_terminal(open_app: Open, failed: Path, nan: Path) -> None:
    for path, keys in ((failed, ("3", "G", "W")), (nan, ("N",))):
        async with open_app(path).run_test(size=(60, 16)) as pilot:
            await pilot.press(*keys)
            await pilot.pause()
            lines = card(pilot.app).splitlines()
            assert max(map(len, lines)) <= 60
