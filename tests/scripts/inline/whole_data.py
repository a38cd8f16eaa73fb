"""Gradient descent on all the data at once, with no name that goes from turn to turn."""
# EXPECT same on batch 3

import tensorflow as tf

x = tf.linspace(-2.0, 2.0, 21)
y = x**2 + 1.0
w, b = tf.Variable(0.5), tf.Variable(0.0)
for _ in range(4):
    with tf.GradientTape(persistent=True) as tape:
        loss = tf.reduce_mean(tf.square(w * x**2 + b - y))
    w.assign_sub(0.1 * tape.gradient(loss, w))
    b.assign_sub(0.1 * tape.gradient(loss, b))
    del tape
print(float(w).hex(), float(b).hex())
