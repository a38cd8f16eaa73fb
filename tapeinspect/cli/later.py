"""The commands that this version does not have yet."""

from __future__ import annotations

from collections.abc import Sequence

import tapeinspect
from tapeinspect.errors import UsageError


def run(name: str, argv: Sequence[str]) -> int:
    """Say so. Raises UsageError."""
    raise UsageError(
        f"tapeinspect {tapeinspect.__version__} has no command `{name}` yet",
        f"to run a script of that name: tapeinspect ./{name}",
    )
