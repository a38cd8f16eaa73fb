"""`python -m tapeinspect.probe.imported SCRIPT [ARGS]`: import a script without running it, and do the works asked for.

What is guarded by `if __name__ == "__main__"` does not run.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from types import ModuleType

from tapeinspect.link.messages import Trouble
from tapeinspect.probe import boot


def main() -> None:
    """Import the script that the command line names and do the works."""
    script = sys.argv[1]
    sys.argv = sys.argv[1:]
    sys.path[0] = os.path.dirname(os.path.abspath(script))
    module = load(script)
    import tensorflow  # noqa: F401  (a script that has no TensorFlow has functions all the same)

    probe = boot.started()
    if probe is None or probe.recorder is None:
        return
    try:
        probe.recorder.errands.on_module(probe.recorder, module)
    except Exception as error:
        probe.tell(Trouble(f"{type(error).__name__}: {error}", fatal=True))


def load(script: str) -> ModuleType:
    """The script as a module of its own name."""
    name = os.path.splitext(os.path.basename(script))[0]
    spec = importlib.util.spec_from_file_location(name, os.path.abspath(script))
    if spec is None or spec.loader is None:
        raise ImportError(f"cannot import {script}")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    main()
