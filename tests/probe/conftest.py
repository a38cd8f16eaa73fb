"""Recordings that the tests of this folder look at together."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.forks import Forks
from tests.probe.recorded import Recording, Runner


@pytest.fixture(scope="session")
def runner(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, forks: Forks
) -> Iterator[Runner]:
    """Starts with all that the selected tests' modules name as RECORDINGS, so that one runs while one is looked at."""
    runner = Runner(tmp_path_factory.mktemp("probe"), forks)
    for item in request.session.items:
        wanted = getattr(getattr(item, "module", None), "RECORDINGS", ())
        selected = getattr(item, "callspec", None) and item.callspec.params.get("recording")  # type: ignore[attr-defined]
        runner.start([selected] if isinstance(selected, Recording) else wanted)
    yield runner
    runner.close()
