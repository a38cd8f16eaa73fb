"""The learning rate of an optimizer is set by a schedule and, between batches, by hand.

diff: same
"""

import tensorflow as tf

w = tf.Variable(2.0, name="w")
v = tf.Variable(1.0, name="v")
schedule = tf.keras.optimizers.schedules.ExponentialDecay(0.1, 1, 0.5)
scheduled, by_hand = tf.keras.optimizers.SGD(schedule), tf.keras.optimizers.SGD(0.1)
for optimizer, variable in ((scheduled, w), (by_hand, v)):
    optimizer.build([variable])


@tf.function
def train_step(x):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean((w * v * x - 1.0) ** 2)
    dw, dv = tape.gradient(loss, [w, v])
    scheduled.apply_gradients([(dw, w)])
    by_hand.apply_gradients([(dv, v)])
    return loss, by_hand.learning_rate


for batch in range(3):
    by_hand.learning_rate = 0.1 / (batch + 1)
    print([float(value) for value in train_step(tf.constant([1.0, 2.0]))])
