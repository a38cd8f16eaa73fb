"""A `while` that takes its batches from an iterator and counts its steps."""
# EXPECT same on batch 2

import tensorflow as tf

weight = tf.Variable([[0.5], [-0.25]])
batches = iter(tf.data.Dataset.from_tensor_slices(tf.ones((12, 2))).batch(3))
step = 0
while step < 3:
    x = next(batches)
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.square(x @ weight))
    weight.assign_sub(0.1 * tape.gradient(loss, weight))
    step += 1
print(weight.numpy().tolist())
