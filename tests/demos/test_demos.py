"""What the demos are there to show. `tests/recording` runs them with and without recording."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.forks import Forks

DEMOS = Path(__file__).parents[2] / "demos"
ARGUMENTS = {
    "control_flow": ["--epochs", "1", "--batches", "3"],
    "mnist_eager": ["--epochs", "2", "--batches", "3"],
    "nan": [],
    "none_gradient": ["--epochs", "1", "--batches", "3"],
}
pytestmark = pytest.mark.tf


@pytest.fixture(scope="module")
def printed(forks: Forks, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What each demo prints; two run at a time."""
    folder = tmp_path_factory.mktemp("demos")

    def run(name: str) -> str:
        done = forks.run(DEMOS / f"{name}.py", ARGUMENTS[name], folder, 120)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode()

    with ThreadPoolExecutor(2) as pool:
        return dict(zip(ARGUMENTS, pool.map(run, ARGUMENTS), strict=True))


def test_the_loss_is_printed_for_each_epoch(printed: dict[str, str]) -> None:
    lines = printed["mnist_eager"].splitlines()
    assert len(lines) == 3
    assert [re.sub(r"\d\.\d+$", "LOSS", line) for line in lines[1:]] == [
        "Epoch 1: 3 batches, mean loss LOSS",
        "Epoch 2: 3 batches, mean loss LOSS",
    ]


def test_the_loss_turns_nan_after_a_good_start(printed: dict[str, str]) -> None:
    found = re.search(r"The loss is NaN from batch (\d+) on\.", printed["nan"])
    assert found
    assert 5 < int(found[1]) < 35


def test_three_variables_get_no_gradient(printed: dict[str, str]) -> None:
    last = printed["none_gradient"].splitlines()[-1]
    assert last == "No gradient: brightness, encoder/bias, encoder/kernel"


def test_a_traced_step_appends_and_prints_once(printed: dict[str, str]) -> None:
    lines = printed["control_flow"].splitlines()
    assert lines.count("train_step runs in Python: this is a trace") == 1
    assert lines[-1].startswith("batches_seen holds 1 entry")
