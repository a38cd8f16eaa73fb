"""Random numbers of every sort: global seed, op seed, `tf.random.Generator`, dropout, Python, numpy."""

import random

import numpy as np
import tensorflow as tf

random.seed(1)
np.random.seed(1)
tf.random.set_seed(1)
generator = tf.random.Generator.from_seed(1)
weight = tf.Variable(tf.random.normal((3,)), name="weight")


def train_step():
    noise = tf.random.uniform((3,)) + tf.random.normal((3,), seed=4) + generator.normal((3,))
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(tf.nn.dropout(weight * noise, 0.5))
    weight.assign_sub(0.1 * tape.gradient(loss, weight))
    return loss


for _ in range(3):
    print(float(train_step()).hex(), random.random().hex(), float(np.random.rand()).hex())
tf.keras.utils.set_random_seed(2)
dropout = tf.keras.layers.Dropout(0.5)
print(dropout(tf.ones((1, 8)), training=True).numpy().tolist(), random.random().hex())
print(tf.keras.layers.Dense(2)(tf.ones((1, 2))).numpy().tobytes().hex(), float(np.random.rand()).hex())
print(tf.random.shuffle(tf.range(5)).numpy().tolist(), generator.state.numpy().tolist())
