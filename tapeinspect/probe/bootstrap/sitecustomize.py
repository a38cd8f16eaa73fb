"""Brings the probe into the target: Python imports this module by itself at its start, before the script.

The target is the user's own interpreter on the user's own script, so `__main__`, `sys.argv`, tracebacks and exit
statuses are the real ones. What led Python here is undone first: the script and its children do not see it.
"""

import os
import sys
from importlib.machinery import PathFinder
from importlib.util import module_from_spec


def _undo() -> None:
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [entry for entry in sys.path if os.path.abspath(entry) != here]
    sys.path_importer_cache.pop(here, None)
    original = os.environ.pop("TAPEINSPECT_PYTHONPATH", None)
    if original is None:
        os.environ.pop("PYTHONPATH", None)
    else:
        os.environ["PYTHONPATH"] = original


def _users_own() -> None:
    """Import the `sitecustomize` that Python would have found without us."""
    spec = PathFinder.find_spec("sitecustomize", sys.path)
    if spec is not None and spec.loader is not None:
        module = module_from_spec(spec)
        sys.modules["sitecustomize"] = module
        spec.loader.exec_module(module)


def _start() -> None:
    config = os.environ.pop("TAPEINSPECT_TARGET", None)
    _undo()
    if config is not None:
        from tapeinspect.probe.boot import start

        start(config)
    _users_own()


_start()
