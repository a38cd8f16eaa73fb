"""`input()` and `sys.stdin` between the steps."""

import sys

import tensorflow as tf

weight = tf.Variable(1.0, name="weight")
rate = float(input("rate? "))
for line in sys.stdin:
    with tf.GradientTape() as tape:
        loss = weight * float(line)
    weight.assign_sub(rate * tape.gradient(loss, weight))
    print(float(weight).hex())
try:
    input("more? ")
except EOFError as error:
    print(error)
