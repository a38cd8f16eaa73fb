"""`python run_all.py FOLDER [SCRIPT...]`: run the scripts of this folder and others, each recorded to FOLDER/NAME.tape.

All in one process, since importing TensorFlow takes longer than most of them.
"""

import runpy
import sys
import time
import traceback
from pathlib import Path

import tensorflow as tf

from tapeinspect import record

NOT_SCRIPTS = ("__init__", "run_all")
SHORT = ("--epochs", "1", "--batches", "8")
"""What the demos are run with."""

folder, others = Path(sys.argv[1]), [Path(name) for name in sys.argv[2:]]
own = [path for path in sorted(Path(__file__).parent.glob("*.py")) if path.stem not in NOT_SCRIPTS]
for script in [*own, *others]:
    tf.keras.utils.set_random_seed(1)
    sys.argv = [str(script), *(() if script in own else SHORT)]
    begun = time.perf_counter()
    sys.path.insert(0, str(script.parent))
    try:
        with record(folder / f"{script.stem}.tape"):
            runpy.run_path(str(script), run_name="__main__")
    except Exception:
        traceback.print_exc()
        print(f"FAILED {script.stem}")
    sys.path.pop(0)
    print(f"{script.stem} took {time.perf_counter() - begun:.1f} s", flush=True)
