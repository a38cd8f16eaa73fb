"""Globals, settings and attributes that are made ready before training and stay as they are.

diff: same
"""

import tensorflow as tf

w = tf.Variable(2.0, name="w")
settings = {"penalty": 0.0}
scale = 1.0
for power in (1, 2, 3):
    scale *= 0.9**power
    settings["penalty"] += 0.1


class Options:
    rate = 0.1


options = Options()
options.rate = 0.05


@tf.function
def train_step(x):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean((w * x * scale - 1.0) ** 2) + settings["penalty"] * tf.square(w)
    w.assign_sub(options.rate * tape.gradient(loss, w))
    return loss


for _ in range(3):
    print(float(train_step(tf.constant([1.0, 2.0]))))
