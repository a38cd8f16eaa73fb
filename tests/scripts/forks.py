"""`os.fork`: the child prints, leaves by `sys.exit(5)` with exit handlers, the parent goes on training."""

import atexit
import os
import sys

import tensorflow as tf

weight = tf.Variable(1.0, name="weight")


def train_step():
    with tf.GradientTape() as tape:
        loss = weight * weight
    weight.assign_sub(0.1 * tape.gradient(loss, weight))
    return loss


print(float(train_step()).hex(), flush=True)
atexit.register(print, "exit handler", flush=True)
child = os.fork()
if child == 0:
    print("child", flush=True)
    sys.exit(5)
_, status = os.waitpid(child, 0)
print("parent", os.waitstatus_to_exitcode(status))
print(float(train_step()).hex(), flush=True)
