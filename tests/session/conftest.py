"""Fixtures of the session's tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tapeinspect.session import launch as launch_module
from tapeinspect.session.launch import Launch
from tapeinspect.session.target import Listener, Target

FAKE_PROBE = Path(__file__).parent / "fake_probe"


@pytest.fixture(autouse=True)
def fake_probe(monkeypatch: pytest.MonkeyPatch) -> None:
    """Targets start with the probe's stand-in."""
    monkeypatch.setattr(launch_module, "BOOTSTRAP", FAKE_PROBE)


@pytest.fixture
def start() -> Iterator[Callable[[Launch, Listener | None], Target]]:
    """Start targets that are gone when the test is over."""
    targets: list[Target] = []

    def run(launch: Launch, listener: Listener | None = None) -> Target:
        targets.append(Target.start(launch, listener))
        return targets[-1]

    yield run
    for target in targets:
        target.end(0.5)
