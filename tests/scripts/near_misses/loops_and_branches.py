"""Loops with break and continue, branches, and a loop over a Python list.

diff: same, op by op
"""

import tensorflow as tf

w = tf.Variable([[0.5], [-0.25]], name="w")
shifts = [1.0, 2.0, 3.0]


@tf.function
def train_step(x):
    h, i = x, tf.constant(0)
    while i < 5:
        i += 1
        if i == 2:
            continue
        if i > 3:
            break
        h = tf.tanh(h) * 1.5
    if tf.reduce_mean(h) > 0.1:
        h = h * 0.5
    for shift in shifts:
        h = h + shift
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.square(h @ w))
    w.assign_sub(0.01 * tape.gradient(loss, w))
    return loss


for batch in range(3):
    print(float(train_step(tf.ones((4, 2)) * (batch + 1.0))))
