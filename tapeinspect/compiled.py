"""The modules in C, which are there when a compiler was at hand while tapeinspect was installed.

Each does what Python code beside it does, too, at a lower cost. TAPEINSPECT_NATIVE=0 leaves them out.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any


def load(name: str) -> Any:
    """A module in C by its whole name; None without it."""
    if os.environ.get("TAPEINSPECT_NATIVE") == "0":
        return None
    try:
        return import_module(name)
    except ImportError:  # there was no compiler, or it was compiled for another Python
        return None
