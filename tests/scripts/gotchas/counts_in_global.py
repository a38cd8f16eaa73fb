"""A global counter is raised by the step.

diff: different
python-side-effect: counter += 1
"""

import tensorflow as tf

w = tf.Variable(2.0, name="w")
counter = 0


@tf.function
def train_step(x):
    global counter
    counter += 1
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean((w * x - 1.0) ** 2)
    w.assign_sub(0.1 * tape.gradient(loss, w))
    return loss


for _ in range(3):
    train_step(tf.constant([1.0, 2.0]))
print(counter)
