"""How the AutoGraph tab looks: pictures to compare with. `pytest --snapshot-update` takes new ones."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tapeinspect.ui.app import TapeApp
from tests.ui import build_autograph
from tests.ui.test_snapshots import at_rest

Open = Callable[[Path], TapeApp]


@pytest.fixture(scope="module")
def traced(folder: Path) -> Path:
    """Three batches, the first traced for AutoGraph."""
    return build_autograph.recording(folder / "looks.tape")


@pytest.mark.parametrize("size", [(60, 16), (80, 24), (160, 45)], ids=["60x16", "80x24", "160x45"])
def test_the_code(
    snap_compare: Callable[..., bool], open_app: Open, traced: Path, size: tuple[int, int]
) -> None:
    keys = ["4", "down", "down", "down"]
    assert snap_compare(open_app(traced), terminal_size=size, press=keys, run_before=at_rest)


def test_a_failed_trace(snap_compare: Callable[..., bool], open_app: Open, folder: Path) -> None:
    path = build_autograph.recording(folder / "fails.tape", fails=True)
    assert snap_compare(open_app(path), terminal_size=(120, 36), press=["4"], run_before=at_rest)


def test_traces(snap_compare: Callable[..., bool], open_app: Open, traced: Path) -> None:
    assert snap_compare(open_app(traced), terminal_size=(120, 36), press=["T", "down"], run_before=at_rest)


@pytest.mark.parametrize("theme", ["tape-light", "ansi-dark"])
def test_other_colours(snap_compare: Callable[..., bool], open_app: Open, traced: Path, theme: str) -> None:
    app = open_app(traced)
    app.theme = theme
    keys = ["4", "down", "down", "down", "down"]
    assert snap_compare(app, terminal_size=(120, 36), press=keys, run_before=at_rest)
