"""A million lines on stdout, one step among them."""

import sys

import tensorflow as tf

weight = tf.Variable(1.0, name="weight")


def train_step():
    with tf.GradientTape() as tape:
        loss = weight * weight
    weight.assign_sub(0.1 * tape.gradient(loss, weight))


for number in range(500_000):
    sys.stdout.write(f"line {number}\n")
train_step()
for number in range(500_000, 1_000_000):
    print("line", number)
print(float(weight).hex())
