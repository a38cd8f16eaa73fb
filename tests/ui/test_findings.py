"""The list of findings: what it says, where Enter goes, what header and timeline show."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from textual.pilot import Pilot

from tapeinspect.trace.records import Finding
from tapeinspect.ui.app import TapeApp
from tapeinspect.ui.findings import summary
from tapeinspect.ui.screens.findings import FindingsScreen, StoryList
from tests.ui.build import recording
from tests.ui.text import line_with, screen_text

Open = Callable[[Path], TapeApp]
ROWS = (
    (1, "own-warning", "warning", 2, None, 1, 19, "The gradient \x1b[1mshrinks[/] to 3e-9.", "Clip it."),
    (2, "own-error", "error", 3, 74, 1, 17, "The labels go from 1 to 10.", "Number them from 0."),
)


@pytest.fixture(scope="module")
def found(folder: Path) -> Path:
    """Three batches and two findings."""
    path = recording(folder / "found.tape")
    with sqlite3.connect(path) as connection:
        connection.executemany("INSERT INTO finding VALUES (?,?,?,?,?,?,?,?,?)", ROWS)
    return path


async def looked(pilot: Pilot[int]) -> TapeApp:
    """Wait until the findings have been looked for."""
    for _ in range(100):
        await pilot.pause(0.05)
        await pilot.app.workers.wait_for_complete()
        app = pilot.app
        assert isinstance(app, TapeApp)
        if app.main.findings.looked:
            await pilot.pause()
            return app
    raise AssertionError("nobody looked for findings")


async def test_the_list_fills_when_they_are_found(open_app: Open, found: Path) -> None:
    app = open_app(found)
    findings = app.main.findings
    findings.running = True  # somebody is looking for them
    async with app.run_test(size=(100, 30)) as pilot:
        await pilot.press("f")
        await pilot.pause(0.3)
        screen = app.screen
        assert isinstance(screen, FindingsScreen)
        assert "Looking at the batches" in screen.list.empty
        findings.look()
        await pilot.pause(0.5)
        assert screen.list.here is not None and screen.list.here.rule == "own-error"


async def test_header_and_timeline_tell_of_them(open_app: Open, found: Path) -> None:
    async with open_app(found).run_test(size=(120, 36)) as pilot:
        app = await looked(pilot)
        assert "f: 1 error · 1 warning" in line_with(app, "RECORDING")
        assert [batch.noted for batch in app.main.timeline.batches] == [False, True, True]


@pytest.mark.parametrize("size", [(60, 16), (80, 24), (160, 45)])
async def test_the_worst_comes_first_with_all_that_is_known(
    open_app: Open, found: Path, size: tuple[int, int]
) -> None:
    async with open_app(found).run_test(size=size) as pilot:
        app = await looked(pilot)
        await pilot.press("f")
        await pilot.pause(0.2)
        assert "own-error" in line_with(app, "✖ own-error") and "mnist_eager.py:17" in line_with(
            app, "✖ own-error"
        )
        assert line_with(app, "loss_value = loss_object(labels, logits)")
        assert line_with(app, "The labels go from 1 to 10.")
        if size[1] > 20:
            assert line_with(app, "→ Number them from 0.")
        await pilot.press("down")
        await pilot.pause(0.2)
        assert line_with(app, "shrinks[/] to 3e-9."), "text is shown as it is"


async def test_enter_goes_to_the_op(open_app: Open, found: Path) -> None:
    async with open_app(found).run_test(size=(120, 36)) as pilot:
        app = await looked(pilot)
        await pilot.press("f", "enter")
        await pilot.pause(0.3)
        assert not isinstance(app.screen, FindingsScreen)
        assert app.main.viewed == 3 and line_with(app, "op 74")


async def test_enter_goes_to_the_first_op_of_the_line(open_app: Open, found: Path) -> None:
    async with open_app(found).run_test(size=(120, 36)) as pilot:
        app = await looked(pilot)
        await pilot.press("f", "down", "enter")
        await pilot.pause(0.3)
        assert app.main.viewed == 2 and line_with(app, "▶19")


async def test_copying(open_app: Open, found: Path) -> None:
    async with open_app(found).run_test(size=(120, 36)) as pilot:
        app = await looked(pilot)
        await pilot.press("f", "y")
        assert app.clipboard.splitlines()[0] == "error own-error" and "Number them from 0." in app.clipboard
        await pilot.press("Y")
        assert json.loads(app.clipboard)["line"] == 17


async def test_nothing_found(open_app: Open, plain: Path) -> None:
    async with open_app(plain).run_test(size=(80, 24)) as pilot:
        app = await looked(pilot)
        assert "f:" not in line_with(app, "RECORDING")
        await pilot.press("f")
        await pilot.pause()
        assert "No findings so far" in screen_text(app)
        await pilot.press("escape")
        assert app.screen is app.main


def test_the_count_in_words() -> None:
    def item(severity: str) -> Finding:
        return Finding("rule", severity, 1, None, None, None, "", "")  # type: ignore[arg-type]

    assert summary([]) == ""
    assert summary([item("info")]) == "f: 1 note"
    assert summary([item("error"), item("error"), item("warning"), item("info")]) == "f: 2 errors · 1 warning"


async def test_what_a_finding_says_has_the_width_of_the_card_at_once(open_app: Open, found: Path) -> None:
    async with open_app(found).run_test(size=(80, 24)) as pilot:
        await looked(pilot)
        await pilot.press("f")
        await pilot.pause(0.3)
        story = pilot.app.screen.query_one(StoryList)
        assert " The labels go from 1 to 10." in [story.text_of(i) for i in range(len(story.rows))]
