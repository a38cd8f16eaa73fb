"""`pdb` driven by text: a breakpoint in the step, its stack, its arguments, stepping over the tape."""

import io
import pdb
import sys

import tensorflow as tf

weight = tf.Variable(1.0, name="weight")
commands = "b train_step\nc\na\nw\nn\nn\np float(weight)\nup\np batch\nc\n"


def train_step(x):
    with tf.GradientTape() as tape:
        loss = weight * x
    weight.assign_sub(0.1 * tape.gradient(loss, weight))
    return loss


def main():
    for batch in range(1):
        print(float(train_step(batch + 2.0)).hex())


debugger = pdb.Pdb(stdin=io.StringIO(commands), stdout=sys.stdout, nosigint=True, readrc=False)
debugger.use_rawinput = False
debugger.prompt = ""
debugger.runcall(main)
print(sys.gettrace())
print(float(weight).hex())
