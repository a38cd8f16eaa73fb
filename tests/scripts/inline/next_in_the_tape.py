"""A loop that takes its batches within the tape, from an iterator of tf.data and from a generator."""
# EXPECT different on batch 4

import tensorflow as tf

weight = tf.Variable([[0.5], [-0.25]])
batches = iter(tf.data.Dataset.range(1, 50).map(lambda i: tf.fill((3, 2), tf.cast(i, tf.float32) * 0.1)))
noise = (tf.fill((3, 1), 0.1 * i) for i in range(100))
for _ in range(4):
    with tf.GradientTape() as tape:
        x = next(batches)
        z = next(noise)  # RULE python-iterator
        loss = tf.reduce_mean(tf.square(x @ weight + z))
    weight.assign_sub(0.1 * tape.gradient(loss, weight))
print(weight.numpy().tolist(), float(next(batches)[0, 0]), float(next(noise)[0, 0]))
