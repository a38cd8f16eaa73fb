"""How the screen looks: pictures to compare with. `pytest --snapshot-update` takes new ones."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from textual.pilot import Pilot

from tapeinspect.ui.app import TapeApp

Open = Callable[[Path], TapeApp]


async def at_rest(pilot: Pilot[int]) -> None:
    """Wait until the colours of the source and the figures of the op are there."""
    await pilot.pause(0.5)
    await pilot.app.workers.wait_for_complete()
    await pilot.pause()


@pytest.mark.parametrize("size", [(80, 24), (120, 36), (160, 45)], ids=["80x24", "120x36", "160x45"])
def test_trace(snap_compare: Callable[..., bool], open_app: Open, nan: Path, size: tuple[int, int]) -> None:
    assert snap_compare(open_app(nan), terminal_size=size, press=["]", "down"], run_before=at_rest)


def test_tape(snap_compare: Callable[..., bool], open_app: Open, plain: Path) -> None:
    assert snap_compare(open_app(plain), terminal_size=(120, 36), press=["2"], run_before=at_rest)


def test_gradients(snap_compare: Callable[..., bool], open_app: Open, nan: Path) -> None:
    assert snap_compare(open_app(nan), terminal_size=(120, 36), press=["]", "3", "down"], run_before=at_rest)


def test_an_exception(snap_compare: Callable[..., bool], open_app: Open, failed: Path) -> None:
    assert snap_compare(open_app(failed), terminal_size=(80, 24), press=["6"], run_before=at_rest)


def test_values(snap_compare: Callable[..., bool], open_app: Open, plain: Path) -> None:
    assert snap_compare(open_app(plain), terminal_size=(80, 24), press=["v"], run_before=at_rest)


def test_light_colours(snap_compare: Callable[..., bool], open_app: Open, nan: Path) -> None:
    app = open_app(nan)
    app.theme = "tape-light"
    assert snap_compare(app, terminal_size=(120, 36), press=["G"], run_before=at_rest)


@pytest.mark.parametrize(
    ("theme", "ground"),
    [("", "#14171f"), ("tape-dark", "#14171f"), ("tape-light", "#fafaf8"), ("nord", "#2e3440")],
)
def test_the_theme_can_be_asked_for_by_the_environment(plain: Path, theme: str, ground: str) -> None:
    code = """
import asyncio, sys
from pathlib import Path
from tapeinspect.ui.app import TapeApp
from tapeinspect.ui.subject import Subject

async def main():
    subject = Subject(Path(sys.argv[1]))
    subject.open()
    app = TapeApp(subject)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        print(app.main.trace_pane.ops.rich_style.bgcolor.name)

asyncio.run(main())
"""
    env = {**os.environ, "TEXTUAL_THEME": theme}
    done = subprocess.run(
        [sys.executable, "-c", code, str(plain)], env=env, capture_output=True, text=True, timeout=60
    )
    assert done.stdout.strip() == ground, done.stderr
