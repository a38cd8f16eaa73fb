"""What all tests need."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from tests import surroundings
from tests.forks import Forks

# A shell that runs the tests in the background has them ignore Ctrl+C, and every script they start would, too.
signal.signal(signal.SIGINT, signal.default_int_handler)
if (
    signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
):  # as `nohup` has it: outlive it here, and hand it on as usual
    signal.signal(signal.SIGHUP, lambda number, frame: None)

_SHARED = ("recording", "probe", "analysis", "demos")
"""Folders whose tests share recordings, each made once."""


def pytest_configure(config: pytest.Config) -> None:
    """Arrange the environment of subprocesses once: the processes that run the tests inherit it."""
    if not hasattr(config, "workerinput"):
        home = surroundings.arrange()
        config.add_cleanup(lambda: surroundings.clear(home))


@pytest.fixture(scope="session")
def forks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forks]:
    """Runs scripts in forks of a process that has imported TensorFlow."""
    made = Forks(tmp_path_factory.mktemp("forks"))
    yield made
    made.close()


@pytest.hookimpl(tryfirst=True)  # before xdist looks at the groups
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep what shares recordings in one process, and files in one piece; the longest folder comes first."""
    here = config.rootpath / "tests"
    for item in items:
        folder, *rest = item.path.relative_to(here).parts
        item.add_marker(pytest.mark.xdist_group(folder if folder in _SHARED else "/".join([folder, *rest])))
    order = {folder: place for place, folder in enumerate(_SHARED)}
    items.sort(key=lambda item: order.get(item.path.relative_to(here).parts[0], len(order)))
