"""Runs scripts one after the other in one process, each as `__main__`."""

import runpy
import sys
from pathlib import Path

scripts = Path(__file__).parents[2] / "scripts"
sys.path.insert(0, str(scripts))
for name in sys.argv[1:]:
    print("SCRIPT", name, flush=True)
    runpy.run_path(str(scripts / f"{name}.py"), run_name="__main__")
