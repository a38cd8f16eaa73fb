"""The layers are gone through in another order in each batch, which is drawn once.

diff: different
frozen-random: random.shuffle(order)
"""

import random

import tensorflow as tf

w = tf.Variable(2.0, name="w")
functions = [tf.tanh, tf.sigmoid, tf.square]


@tf.function
def train_step(x):
    order = [0, 1, 2]
    random.shuffle(order)
    with tf.GradientTape() as tape:
        y = w * x
        for index in order:
            y = functions[index](y)
        loss = tf.reduce_mean(y)
    w.assign_sub(0.1 * tape.gradient(loss, w))
    return loss


for _ in range(3):
    print(float(train_step(tf.constant([1.0, 2.0]))))
