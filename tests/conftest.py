"""What all tests need."""

from __future__ import annotations

import signal

import pytest

# A shell that runs the tests in the background has them ignore Ctrl+C, and every script they start would, too.
signal.signal(signal.SIGINT, signal.default_int_handler)

_SHARED = ("recording", "probe", "analysis", "demos")
"""Folders whose tests share recordings, each made once."""


@pytest.hookimpl(tryfirst=True)  # before xdist looks at the groups
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep what shares recordings in one process, and files in one piece; the longest folder comes first."""
    here = config.rootpath / "tests"
    for item in items:
        folder, *rest = item.path.relative_to(here).parts
        item.add_marker(pytest.mark.xdist_group(folder if folder in _SHARED else "/".join([folder, *rest])))
    order = {folder: place for place, folder in enumerate(_SHARED)}
    items.sort(key=lambda item: order.get(item.path.relative_to(here).parts[0], len(order)))
