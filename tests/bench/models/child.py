"""Trains a model in blocks of steps, on demand: steps on stdin; seconds and peak megabytes on stdout.

    python child.py mnist [--graph] [--tfdbg FULL_HEALTH | --torchlens]

The benchmark starts one such process for each way of recording and lets them take turns, so that whatever
else the machine does meets all of them alike.
"""

import argparse
import importlib
import resource
import sys
import tempfile
import time

import tensorflow as tf


def main() -> None:
    """Serve blocks of steps until stdin ends."""
    parser = argparse.ArgumentParser()
    parser.add_argument("model", choices=("mnist", "resnet50", "transformer"))
    parser.add_argument("--graph", action="store_true", help="the step is a tf.function")
    parser.add_argument("--tfdbg", help="run under TensorFlow's own debugger, in this tensor_debug_mode")
    parser.add_argument("--torchlens", action="store_true", help="each step is traced by TorchLens")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as dump:
        if options.tfdbg:
            tf.debugging.experimental.enable_dump_debug_info(dump, tensor_debug_mode=options.tfdbg)
        step = importlib.import_module(options.model).make_step(options.graph)
        if options.torchlens:
            step = traced_by_torchlens(step)
        for line in sys.stdin:
            start = time.perf_counter()
            for _ in range(int(line)):
                step()
            seconds = time.perf_counter() - start
            megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            print(f"{seconds:.6f} {megabytes:.0f}", flush=True)


def traced_by_torchlens(step):
    """The step in a trace of TorchLens', which runs it once more before, to see that it can."""
    import torchlens

    given = tf.zeros(())  # it knows a function of TensorFlow's by its tensors

    def model(tensor):
        step()
        return tensor

    return lambda: torchlens.trace(model, (given,), backend="tf")


main()
