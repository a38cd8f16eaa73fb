"""Recordings that the tests of this folder look at together."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.analysis.training_runs import TrainingRuns
from tests.forks import Forks


@pytest.fixture(scope="session")
def runs(tmp_path_factory: pytest.TempPathFactory, forks: Forks) -> Iterator[TrainingRuns]:
    """Training that is wrong in one way each, near misses, and healthy training."""
    found = TrainingRuns(tmp_path_factory.mktemp("training"), forks)
    yield found
    found.close()
