"""A loop in a function with sums, counters and names of the function that it only reads."""
# EXPECT same on batch 2

import tensorflow as tf


def main(rate=0.1):
    """Train, and say what the mean loss was."""
    weight = tf.Variable([[0.5], [-0.25]])
    total, seen = tf.constant(0.0), 0
    for images in tf.data.Dataset.from_tensor_slices(tf.random.normal((9, 2), seed=5)).batch(3):
        images = images / tf.norm(images)
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(images @ weight - 1.0))
        gradient = tape.gradient(loss, weight)
        weight.assign_sub(rate * gradient)
        total = total + loss
        seen += 1
    return total / seen


tf.random.set_seed(5)
print(float(main()).hex())
