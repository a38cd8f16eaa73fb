"""Work beside the drawing: begun anew when it is asked for again."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from textual.widget import Widget


def begin(widget: Widget, work: Callable[[], Coroutine[Any, Any, None]], group: str) -> None:
    """Run a coroutine for a widget; one of the same group that still runs is given up."""

    async def run() -> None:
        await work()

    # Textual's types leave the result of such a worker open, and mypy reads that as Never
    widget.run_worker(run, exclusive=True, group=group)  # type: ignore[arg-type]
