"""The loop changes an entry of a dict of settings that the step reads.

diff: different
frozen-value: loss += settings["penalty"]
"""

import tensorflow as tf

w = tf.Variable(2.0, name="w")
settings = {"rate": 0.1, "penalty": 1.0}


@tf.function
def train_step(x):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean((w * x - 1.0) ** 2)
        loss += settings["penalty"] * tf.square(w)
    w.assign_sub(settings["rate"] * tape.gradient(loss, w))
    return loss


for _ in range(3):
    print(float(train_step(tf.constant([1.0, 2.0]))))
    settings["penalty"] *= 0.9
