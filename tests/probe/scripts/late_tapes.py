"""Two steps whose first call takes so long before its tape that ops of it are in the file by then."""

import time

import tensorflow as tf

w = tf.Variable([1.0, 2.0], name="w")


def first_step(x):
    scaled = x * 2.0
    time.sleep(0.15)
    shifted = scaled + 1.0
    time.sleep(0.15)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(w * shifted)
    w.assign_sub(0.1 * tape.gradient(loss, w))


def second_step(x):
    scaled = x * 3.0
    time.sleep(0.15)
    shifted = scaled - 1.0
    time.sleep(0.15)
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(w * shifted)
    w.assign_sub(0.1 * tape.gradient(loss, w))


for _ in range(2):
    first_step(tf.constant([1.0, 2.0]))
    second_step(tf.constant([3.0, 4.0]))
