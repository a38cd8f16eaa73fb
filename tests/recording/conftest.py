"""Runs of the scripts and demos that the tests of this folder look at together."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.forks import Forks
from tests.recording.programs import Program, Runner, Way


def ways(program: Program) -> list[Way]:
    """How a program is run: alone, and recorded; one with a `tf.function` as it is written."""
    return ["alone", "graph" if program.graph else "eager"]


@pytest.fixture(scope="session")
def runner(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, forks: Forks
) -> Iterator[Runner]:
    """Starts with every program that a selected test asks for, so that two run while one is looked at."""
    runner = Runner(tmp_path_factory.mktemp("recording"), forks)
    for item in request.session.items:
        program = getattr(item, "callspec", None) and item.callspec.params.get("program")  # type: ignore[attr-defined]
        if isinstance(program, Program):
            runner.start(program, ways(program))
    yield runner
    runner.close()
