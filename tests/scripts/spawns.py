"""`multiprocessing` with spawn (no TensorFlow in the children), and a Python started with `subprocess`."""

import multiprocessing
import subprocess
import sys


def square(value):
    return value * value, "tensorflow" in sys.modules


if __name__ == "__main__":
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        print(pool.map(square, [1, 2, 3]))

    import tensorflow as tf

    weight = tf.Variable(1.0, name="weight")
    for _ in range(2):
        with tf.GradientTape() as tape:
            loss = weight * weight
        weight.assign_sub(0.1 * tape.gradient(loss, weight))
    print(float(weight).hex(), flush=True)
    code = "import os, sys; print(sys.argv, [k for k in os.environ if 'TAPEINSPECT' in k])"
    print(subprocess.run([sys.executable, "-c", code], check=False).returncode)
