"""A step under `@tf.function`, called with two shapes, so that it is traced twice."""

import tensorflow as tf

weight = tf.Variable([[0.5], [-0.25]], name="weight")
traced = []


@tf.function
def train_step(x, y):
    traced.append(x.shape[0])
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.square(x @ weight - y))
    weight.assign_sub(0.1 * tape.gradient(loss, weight))
    return loss


for rows in (4, 4, 6, 4):
    x = tf.reshape(tf.range(2 * rows, dtype=tf.float32), (rows, 2)) / 7.0
    print(rows, float(train_step(x, tf.ones((rows, 1)))).hex())
print("traced for", traced)
