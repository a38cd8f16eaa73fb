"""A script that ends in the way its argument names, in its third step."""

import atexit
import os
import signal
import sys

import tensorflow as tf

w = tf.Variable([1.0, 2.0], name="w")
atexit.register(lambda: print("exit handler ran", flush=True))


def deeper(x):
    if x == 3 and sys.argv[1] == "error":
        return tf.reshape(w, [3, 7])
    if x == 3 and sys.argv[1] == "interrupt":
        os.kill(os.getpid(), signal.SIGINT)
    return w * float(x)


def train_step(x):
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(deeper(x))
    w.assign_sub(0.1 * tape.gradient(loss, w))
    print("step", x, flush=True)


try:
    for batch in range(1, 6):
        train_step(batch)
finally:
    print("cleaned up", flush=True)
print("the end", flush=True)
