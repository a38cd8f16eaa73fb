"""The tape inline in a loop at module level, with work before and after the `with`."""

import tensorflow as tf

weight = tf.Variable([[0.5], [-0.25]], name="weight")
x = tf.constant([[1.0, 2.0], [3.0, -1.0], [0.5, 0.25]])

for batch in range(4):
    images = (x - tf.reduce_mean(x)) / (1.0 + batch)
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.square(images @ weight - 1.0))
    gradient = tape.gradient(loss, weight)
    clipped = tf.clip_by_norm(gradient, 0.5)
    weight.assign_sub(0.1 * clipped)
    print(batch, float(loss).hex(), float(tf.norm(gradient)).hex())
print(weight.numpy().tolist())
