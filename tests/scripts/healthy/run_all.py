"""`python run_all.py FOLDER [NAME...]`: run the scripts of this folder in one process, each recorded to NAME.tape."""

import runpy
import sys
import time
import traceback
from pathlib import Path

import tensorflow as tf

from tapeinspect import record

HERE = Path(__file__).parent
NOT_SCRIPTS = ("__init__", "run_all")

folder, names = Path(sys.argv[1]), sys.argv[2:]
for script in sorted(HERE.glob("*.py")):
    if script.stem in NOT_SCRIPTS or (names and script.stem not in names):
        continue
    tf.keras.utils.set_random_seed(1)
    begun = time.perf_counter()
    try:
        with record(folder / f"{script.stem}.tape"):
            runpy.run_path(str(script), run_name="__main__")
    except Exception:
        traceback.print_exc()
        print(f"FAILED {script.stem}")
    print(f"{script.stem} took {time.perf_counter() - begun:.1f} s")
