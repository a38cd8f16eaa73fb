"""Runs scripts of `tests/scripts/gotchas` and `near_misses` alone, and recorded with a comparison behind batch 1.

`python verdicts.py FOLDER.tape gotchas` writes FOLDER/NAME.tape for each of `gotchas/`. Prints what each printed in
both runs, what of its state was different behind the comparison, and why there is none.
"""

import collections
import gc
import io
import json
import pathlib
import random
import runpy
import sys
import types
from contextlib import contextmanager, redirect_stdout

import numpy as np
import tensorflow as tf

from tapeinspect.link.messages import Config
from tapeinspect.probe.boot import Probe
from tapeinspect.probe.diff import work
from tapeinspect.probe.introspect import slots
from tests.scripts.verdicts import told

changed, refused = [], []


def picture(value, seen):
    """All that can be seen of an object, as plain values: bits of tensors, items, attributes, where an iterator is."""
    if isinstance(value, (bool, int, float, complex, str, bytes, type(None))):
        return repr(value)
    if id(value) in seen or len(seen) > 20_000:
        return "seen"
    seen[id(value)] = value
    if isinstance(value, (tf.Variable, tf.Tensor)):
        if not value.dtype.is_numpy_compatible or value.dtype == tf.variant:
            return value.dtype.name
        return [value.dtype.name, value.shape.as_list(), np.asarray(value.numpy()).tobytes().hex()]
    if isinstance(value, (np.ndarray, np.generic)):
        return [str(value.dtype), value.shape, value.tobytes().hex()]
    if isinstance(value, dict):
        return {repr(key): picture(item, seen) for key, item in value.items()}
    if isinstance(value, (list, tuple, collections.deque)):
        return [picture(item, seen) for item in value]
    if isinstance(value, (set, frozenset)):
        return sorted(map(repr, value))
    if isinstance(value, io.IOBase):
        return value.closed or [value.tell(), value.seekable()]
    if isinstance(value, random.Random):
        return repr(value.getstate())
    if isinstance(value, np.random.Generator):
        return repr(value.bit_generator.state)
    if isinstance(value, types.GeneratorType):
        return picture(dict(value.gi_frame.f_locals), seen) if value.gi_frame else "over"
    if type(value).__module__ in ("builtins", "itertools") and hasattr(value, "__next__"):
        return repr(value.__reduce__()[2:]) if hasattr(value, "__setstate__") else repr(value)
    if hasattr(value, "experimental_get_tracing_count"):
        return [value.experimental_get_tracing_count(), picture(value.python_function, seen)]
    if isinstance(value, types.FunctionType):
        cells = [cell.cell_contents for cell in value.__closure__ or () if cell is not _EMPTY]
        return [picture(part, seen) for part in (cells, value.__defaults__, value.__dict__)]
    if isinstance(value, type):
        own = value.__module__ == "__main__"
        return (
            picture({k: v for k, v in vars(value).items() if not k.startswith("__")}, seen) if own else "type"
        )
    if isinstance(value, types.ModuleType) or type(value).__module__.startswith(
        ("tensorflow.python.", "logging")
    ):
        return type(value).__name__
    names = slots(type(value)) if type(value).__module__ == "__main__" else ()
    held = {name: getattr(value, name) for name in names if hasattr(value, name)}
    return [picture(part, seen) for part in (getattr(value, "__dict__", None), held, type(value))]


_EMPTY = types.CellType()


def state(step):
    """What a comparison may not change: all that the step sees, and what any code can draw or read from."""
    seen = {}
    parts = {
        "globals": {
            name: value for name, value in step.function.__globals__.items() if not name.startswith("__")
        },
        "step": [getattr(step.function, "__self__", None), step.function.__closure__ and step.function],
    }
    found = {name: picture(part, seen) for name, part in parts.items()}
    found["random"] = [repr(random.getstate()), repr(np.random.get_state())]
    found["eagerly"] = tf.config.functions_run_eagerly()
    found["streams"] = [sys.stdout is not None, len(sys.meta_path)]
    return found


def watched(standing_in):
    """What is around the comparison, with a look at the script's state before and after."""

    @contextmanager
    def watching(recorder, step):
        before = state(step)
        try:
            with standing_in(recorder, step) as again:
                yield again
        finally:
            after = state(step)
            changed.extend(_differences("", before, after))

    return watching


def _differences(path, before, after):
    if isinstance(before, dict) and isinstance(after, dict):
        for key in dict.fromkeys([*before, *after]):
            yield from _differences(f"{path}.{key}", before.get(key), after.get(key))
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for index, (a, b) in enumerate(zip(before, after, strict=True)):
            yield from _differences(f"{path}[{index}]", a, b)
    elif before != after:
        yield f"{path}: {str(before)[:80]} -> {str(after)[:80]}"


def alone(script):
    """Run a script, its functions op by op; what it printed and how it ended, and the error."""
    random.seed(1)
    np.random.seed(1)
    tf.random.set_seed(1)
    tf.config.run_functions_eagerly(True)
    printed, error = io.StringIO(), None
    try:
        with redirect_stdout(printed):
            runpy.run_path(str(script), run_name="__main__")
    except Exception as raised:
        error = raised
    tf.config.run_functions_eagerly(False)
    return printed.getvalue() + (f"{type(error).__name__}: {error}" if error else ""), error


def recorded(script, path):
    """Run a script, recorded, its first batch compared; what it printed and how it ended."""
    wanted = {"ops": "op by op" in script.more, "costs": "costs" in script.more, "code": False}
    options = {"values": "off", "work": ("diff",), "work_step": 1, "work_options": wanted}
    probe = Probe(Config(str(path), -1, script=str(script.path), **options), None)
    probe.begin()
    probe.recorder.say = lambda *said: refused.append(" ".join(said))
    printed, error = alone(script.path)
    probe.end(error)
    return printed


if __name__ == "__main__":
    work.standing_in = watched(work.standing_in)
    folder = pathlib.Path(sys.argv[1]).with_suffix("")
    folder.mkdir()
    outcomes = {}
    for script in told():
        if sys.argv[2] not in (script.path.parent.name, script.name):
            continue
        changed.clear()
        refused.clear()
        before, _ = alone(script.path)
        gc.freeze()  # what TensorFlow and Keras consist of is not looked through again for each script
        printed = recorded(script, folder / f"{script.path.stem}.tape")
        found = {"alone": before, "printed": printed, "changed": [*changed], "refused": [*refused]}
        outcomes[script.name] = found
    print("TRUTH " + json.dumps(outcomes))
