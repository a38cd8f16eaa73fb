"""A loop with its body as a function, on the screen."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from tapeinspect.ui.app import TapeApp
from tapeinspect.ui.panes.diff import DiffPane
from tapeinspect.ui.screens.as_function import AsFunctionScreen
from tests.ui.build_diff import with_comparison

Open = Callable[[Path], TapeApp]
CODE = """\
@tf.function
def train_step(images, labels, total):
    with tf.GradientTape() as tape:
        loss = loss_fn(labels, model(images))  # [red]not markup[/red] \x1b[31m
    total += loss
    return total

for images, labels in dataset:
    total = train_step(images, labels, total)
"""


@pytest.fixture(scope="module")
def inline(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A comparison of a step that stands inline in a loop."""
    path = with_comparison(tmp_path_factory.mktemp("inline") / "inline.tape", "same", findings=False)
    names = (json.dumps(["images", "labels", "total"]), json.dumps(["total"]))
    with sqlite3.connect(path) as connection:
        connection.execute("INSERT INTO loop_body VALUES (?,?,?,?,?,?,?,?,?,?)",
                           (1, 2, "train_step", 1, 13, 14, 19, *names, CODE))  # fmt: skip
    connection.close()
    return path


def shown(screen: AsFunctionScreen) -> str:
    """The text of the card."""
    return "\n".join(screen.list.text_of(i).rstrip() for i in range(len(screen.list.rows)))


def test_how_it_looks(snap_compare: Callable[..., bool], open_app: Open, inline: Path) -> None:
    assert snap_compare(open_app(inline), terminal_size=(80, 24), press=["5", "M"])


async def test_the_tab_shows_the_loop_and_a_key_the_function(open_app: Open, inline: Path) -> None:
    """The lines of the loop, and its body ready to be pasted; y copies it as it is."""
    app = open_app(inline)
    async with app.run_test(size=(100, 30)) as pilot:
        await pilot.press("5")
        await pilot.pause(0.1)
        pane = app.query_one(DiffPane)
        assert pane.page is not None and pane.shown is not None and pane.shown.holds(pane.page.diff.path, 13)
        assert "the loop on line 13: M as a function" in pane.code.left.note
        await pilot.press("M")
        await pilot.pause(0.1)
        screen = app.screen
        assert isinstance(screen, AsFunctionScreen)
        text = shown(screen)
        assert "def train_step(images, labels, total):" in text and "[red]not markup[/red]" in text
        assert "\x1b" not in text
        await pilot.press("y")
        assert app.clipboard == CODE
        await pilot.press("escape")
        assert app.screen is not screen


async def test_a_step_that_is_a_function_has_no_other(open_app: Open, tmp_path: Path) -> None:
    """The key says so."""
    app = open_app(with_comparison(tmp_path / "call.tape"))
    async with app.run_test(size=(100, 30)) as pilot:
        await pilot.press("5", "M")
        await pilot.pause(0.1)
        assert not isinstance(app.screen, AsFunctionScreen)


@pytest.mark.parametrize("size", [(60, 16), (160, 45)], ids=["60x16", "160x45"])
async def test_every_size(open_app: Open, inline: Path, size: tuple[int, int]) -> None:
    app = open_app(inline)
    async with app.run_test(size=size) as pilot:
        await pilot.press("5", "M")
        await pilot.pause(0.1)
        await pilot.resize_terminal(80, 24)
        await pilot.pause(0.1)
        assert isinstance(app.screen, AsFunctionScreen) and "def train_step" in shown(app.screen)
