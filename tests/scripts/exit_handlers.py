"""`atexit` handlers and a `sys.excepthook` of the user's, around an exception that ends the script."""

import atexit
import sys

import tensorflow as tf

weight = tf.Variable(1.0, name="weight")
atexit.register(lambda: print("first registered, last called", float(weight).hex(), flush=True))
atexit.register(print, "last registered, first called", flush=True)
print(sys.excepthook is sys.__excepthook__, sys.unraisablehook is sys.__unraisablehook__)


def hook(kind, error, trace):
    print("hook", kind.__name__, error, trace.tb_frame.f_code.co_name, trace.tb_lineno, flush=True)


sys.excepthook = hook


def train_step():
    with tf.GradientTape() as tape:
        loss = weight * weight
    weight.assign_sub(0.1 * tape.gradient(loss, weight))
    raise LookupError("no more data")


train_step()
