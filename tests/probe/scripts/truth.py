"""What a script knows of itself: facts it prints, and every op as its own op callback saw it."""

import json
import sys
import threading

import numpy as np

_facts = {}


def tell(**facts):
    """Facts for the test."""
    _facts.update(facts)


def say():
    """Print the facts, as the last thing a script does."""
    print("TRUTH", json.dumps(_facts), flush=True)


def figures(array):
    """NumPy's figures of an array, or of the dense equivalent of an IndexedSlices; None for None."""
    import tensorflow as tf

    if array is None:
        return None
    if isinstance(array, tf.IndexedSlices):
        dense = np.zeros(array.dense_shape.numpy(), array.values.dtype.as_numpy_dtype)
        np.add.at(dense, array.indices.numpy(), array.values.numpy())
        array = dense
    array = np.asarray(array)
    is_complex = array.dtype.kind == "c"
    wide = array.astype(np.complex128 if is_complex else np.float64)
    good = wide[np.isfinite(wide)]
    bad = good.size != wide.size
    ordered = good.size and not is_complex
    return {
        "norm": None if bad else float(np.linalg.norm(wide.ravel())),
        "min": float(good.min()) if ordered else None,
        "max": float(good.max()) if ordered else None,
        "mean": float(good.mean()) if ordered else None,
        "nan": int(np.isnan(wide).sum()),
        "inf": int((np.isinf(wide) & ~np.isnan(wide)).sum()),
        "zeros": float((wide == 0).mean()) if wide.size else 0.0,
    }


WRAPPERS = ("tapeinspect.probe.tapes", "tapeinspect.probe.backward")
"""Modules with wrappers around calls of the script's own and of its tapes."""


class OpLog:
    """Every eager op of the threads that install it, seen from a callback of its own that walks the stack."""

    def __init__(self, *files):
        self.files = set(files)
        self.ops = []
        self.stacks = {}

    def install(self):
        """Listen in this thread."""
        from tensorflow.python.framework import op_callbacks

        op_callbacks.add_op_callback(self)

    def __call__(self, op_type, inputs, attrs, outputs, op_name=None, graph=None):
        if graph is not None:
            return
        frames, frame, ours = [], sys._getframe(1), ""
        while frame is not None:
            code = frame.f_code
            module = str(frame.f_globals.get("__name__", ""))
            if not ours and module.startswith("tapeinspect."):
                ours = module
                if ours not in WRAPPERS:
                    return  # an op of the recording itself
            line = frame.f_lineno if code.co_filename in self.files else 0
            frames.append((code.co_filename, code.co_name, line))
            frame = frame.f_back
        stack = self.stacks.setdefault(tuple(frames), len(self.stacks))
        self.ops.append(
            [
                op_type.decode() if isinstance(op_type, bytes) else op_type,
                [t._id for t in inputs],
                [
                    [t._id, t.dtype.name, t.shape.as_list() if t.shape.rank is not None else None]
                    for t in outputs
                ],
                stack,
                threading.current_thread().name,
            ]
        )

    def facts(self):
        """For `tell`."""
        return {"ops": self.ops, "stacks": [list(stack) for stack in self.stacks]}
