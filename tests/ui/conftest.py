"""Recordings that the tests of the screen share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tapeinspect.ui.app import TapeApp
from tapeinspect.ui.subject import Subject
from tests.ui.build import recording


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A place for recordings that no test changes."""
    return tmp_path_factory.mktemp("recordings")


@pytest.fixture(scope="session")
def plain(folder: Path) -> Path:
    """Three good batches."""
    return recording(folder / "plain.tape")


@pytest.fixture(scope="session")
def nan(folder: Path) -> Path:
    """Forty batches; the loss of the 31st is NaN."""
    return recording(folder / "nan.tape", batches=40, nan_at=31)


@pytest.fixture(scope="session")
def failed(folder: Path) -> Path:
    """Twelve batches; the script raised in the last, and a gradient is None."""
    return recording(folder / "failed.tape", batches=12, error=True, none=True)


@pytest.fixture
def open_app() -> Callable[[Path], TapeApp]:
    """Makes the application on a recording."""

    def make(path: Path) -> TapeApp:
        subject = Subject(path)
        subject.open()
        return TapeApp(subject)

    return make
