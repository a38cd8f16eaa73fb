"""Two ways out of the loop, before and behind what is done for a batch."""
# EXPECT same on batch 2

import tensorflow as tf

weight = tf.Variable([[0.5], [-0.25]])
for step, x in enumerate(tf.data.Dataset.from_tensor_slices(tf.ones((12, 2))).batch(3)):
    if step >= 3:
        break
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.square(x @ weight))
    weight.assign_sub(0.1 * tape.gradient(loss, weight))
    if loss < 1e-12:
        print("converged")
        break
print(weight.numpy().tolist())
